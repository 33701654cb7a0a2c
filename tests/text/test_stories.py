"""Leader clustering by decisions: no chains, the right direction, versions, spans of time, limits."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from transforms.text import stories
from transforms.text.decide import Article, DecisionThresholds, decide
from transforms.text.stories import MAX_DECIDED, Reach, find_stories, match_stories

MONDAY = datetime(2024, 3, 4, 9, tzinfo=UTC)
PARAGRAPHS = [
    "The island ferry returned to service on Monday after a winter in the yard at Port Ellery, the operator said.",
    "Two new engines were fitted and the car deck was strengthened, at a cost of 4.2 million crowns. The work took "
    "eleven weeks, three more than planned, because parts from the maker in Sundhaven arrived late.",
    '"We know how hard this was for the people of the island," Marta Quill, the director, told reporters at the quay. '
    "She said that season tickets would be valid for an additional three months.",
    "Fishermen had carried mail and medicine across the sound while the ferry was away. The school on the island held "
    "its classes online for nine days in January, when storms closed the sound to small boats as well.",
    "The regional council will decide in May whether to order a second ship, a plan discussed for ten years.",
]
FERRY = "\n\n".join(PARAGRAPHS)
OTHER = "The museum at Cold Harbour lends two of its maps, the director said, and will print others for its visitors."
LATER = "\n\n".join(
    [
        *PARAGRAPHS[:2],
        "On Tuesday the council voted by seven to five for a second ship, to be built at home. The mayor called it the "
        "end of a long wait; opponents said that the sum had grown by half since the first estimate was made.",
        "Fishermen had carried mail and medicine across the sound while the ferry was away. Some of them asked on "
        "Tuesday what they would be paid for it, and a spokesman promised an answer before the summer.",
        PARAGRAPHS[4],
    ]
)
COLUMN = "\n\n".join(
    [
        "Our town has talked of nothing else since the horn was heard again behind the pier, and the baker gave out "
        "buns to all who came down to look. My neighbour cried, and she is not a woman who cries over ships.",
        "I asked her what had been the worst of it. The quiet, she said, and the price of onions, which doubled by "
        "the end of January and will now, the grocer swears to us all, come down again within the week.",
        "This is how the agency told it.",
        FERRY,
    ]
)


def found(*articles: Article, **reach: object) -> list[tuple[int, str | None]]:
    stories = find_stories(articles, DecisionThresholds(), Reach(**reach))
    relations = [verdict and verdict.relation for verdict in stories.verdict]
    return list(zip(stories.leader, relations, strict=True))


def test_copies_and_excerpts_join_and_the_whole_is_kept():
    start = "\n\n".join(PARAGRAPHS[:3])
    edited = FERRY.replace("crowns", "kr").replace(" told reporters at the quay", " said")
    other = Article("Owls have moved into the clock tower of Brenford, where they will stay until the end of June.")
    articles = [Article(start, source="a"), Article(FERRY, source="b"), other, Article(edited, source="c")]
    assert found(*articles) == [(1, "excerpt"), (1, None), (2, None), (1, "near")]


def test_the_verdict_is_the_decision_on_the_two():
    articles = [Article(FERRY, "Ferry returns", "a"), Article(FERRY, "Ferry returns", "b", "https://b.example/1")]
    (twin,) = filter(None, find_stories(articles, DecisionThresholds(), Reach()).verdict)
    decision = decide(*articles)
    assert twin.relation == decision.relation == "exact"
    assert twin.points == pytest.approx([sign.points for sign in decision.signs])


def test_every_copy_was_decided_against_its_own_leader():
    texts = ["\n\n".join(PARAGRAPHS[first : first + 3]) for first in range(3)]
    articles = [Article(text, source=f"s{number}") for number, text in enumerate([*texts, FERRY, LATER])]
    for order in permutations(range(5)):
        taken = [articles[place] for place in order]
        stories = find_stories(taken, DecisionThresholds(), Reach())
        for article, (leader, verdict) in enumerate(zip(stories.leader, stories.verdict, strict=True)):
            assert stories.leader[leader] == leader
            if verdict:
                decision = decide(taken[article], taken[leader])
                assert verdict.relation == decision.relation
                assert verdict.points == pytest.approx([sign.points for sign in decision.signs], abs=0.01)
                assert verdict.jaccard == decision.similarity.jaccard


@pytest.mark.parametrize(("updates", "kept"), [("latest", 1), ("first", 0)])
def test_the_version_that_is_wanted_leads(updates, kept):
    first = Article(FERRY, "Ferry returns", "wire", "https://w.example/a", MONDAY)
    later = Article(LATER, "Ferry returns", "wire", "https://w.example/b", MONDAY + timedelta(days=1))
    assert decide(first, later).relation == "update"
    assert found(first, later, updates=updates) == [
        (kept, None if kept == 0 else "update"),
        (kept, "update" if kept == 0 else None),
    ]
    assert found(first, later, updates="all") == [(0, None), (1, None)]


def test_of_two_prints_that_differ_in_a_word_the_latest_leads():
    first = Article(FERRY, "Ferry returns", "wire", None, MONDAY)
    again = Article(
        FERRY.replace("a second ship", "another ship"), "Ferry returns", "wire", None, MONDAY + timedelta(1)
    )
    assert found(first, again) == [(1, "near"), (1, None)]
    assert found(first, again, updates="all") == [(0, None), (0, "near")]


def test_takes_of_two_houses_are_one_story_also_where_every_version_is_kept():
    early, late = Article(FERRY, "Ferry returns", "post"), Article(LATER, "Ferry returns", "gazette")
    assert decide(early, late).relation == "update"
    assert found(early, late, updates="all") == [(0, None), (0, "update")]


@pytest.mark.parametrize("held", [4_096, 1])
def test_an_excerpt_of_a_copy_is_found_though_its_leader_is_in_other_words(monkeypatch, held):
    monkeypatch.setattr(stories, "_COPIES", held)
    words = FERRY.split()
    by_desk = " ".join("some" if place % 11 == 4 else word for place, word in enumerate(words))
    part = " ".join(words[:90])
    articles = [Article(by_desk, "Ferry returns", "post"), Article(FERRY, "Ferry returns", "wire")]
    excerpt = Article(part, "Ferry returns", "gazette")
    assert decide(articles[0], excerpt).similarity.jaccard < 0.3
    assert [leader for leader, _ in found(*articles, excerpt)] == [0, 0, 0]
    assert [leader for leader, _ in found(articles[0], excerpt)] == [0, 1]
    # With what it has, if that is one story with the leader, too.
    edited = Article(part.replace("crowns", "kr"), "Ferry returns", "herald")
    assert [leader for leader, _ in found(*articles, excerpt, edited)] == [0, 0, 0, 0]
    assert [leader for leader, _ in found(articles[0], excerpt, edited)] == [0, 1, 1]


def test_what_two_houses_made_of_one_report_is_found_by_a_third_ones_print_of_it():
    words = FERRY.split()
    edited = (
        (house, " ".join(house if place % 13 == at else word for place, word in enumerate(words)))
        for house, at in (("post", 4), ("herald", 9))
    )
    one, other = (Article(text, "Ferry returns", house) for house, text in edited)
    wire = Article(FERRY, "Ferry returns", "wire")
    assert decide(one, other).similarity.jaccard < 0.3
    assert [leader for leader, _ in found(one, other)] == [0, 1]
    assert found(one, other, wire) == [(0, None), (0, "near"), (0, "near")]
    alone, with_wire = (
        match_stories([one, *new], DecisionThresholds(), Reach(), 1) for new in ([other], [other, wire])
    )
    assert alone == [None]
    assert [match and match.earlier for match in with_wire] == [0, 0]


@pytest.mark.parametrize(
    ("days", "source", "updates", "says_more"),
    [
        (1, "wire", "latest", True),
        (-1, "wire", "latest", False),
        (0, "wire", "latest", False),
        (None, "wire", "latest", False),
        (1, "gazette", "latest", False),
        (1, None, "latest", False),
        (1, "wire", "first", False),
    ],
)
def test_only_a_later_version_of_its_source_says_more(days, source, updates, says_more):
    earlier = Article(FERRY, "Ferry returns", "wire", "https://w.example/a", MONDAY)
    date = None if days is None else MONDAY + timedelta(days=days)
    new = Article(LATER, "Ferry returns", source, "https://w.example/b", date)
    (match,) = match_stories([earlier, new], DecisionThresholds(), Reach(updates=updates), 1)
    assert match
    assert (match.earlier, match.says_more) == (0, says_more)
    assert source != "wire" or match.verdict.relation == "update"


def test_what_is_seen_again_is_found_among_many_that_have_its_text():
    marks = [Article("* * *", f"Ferry {number}", "wire", None, MONDAY) for number in range(3 * MAX_DECIDED)]
    matches = match_stories([*marks, *marks], DecisionThresholds(), Reach(), len(marks))
    assert [match and match.earlier for match in matches] == list(range(len(marks)))


def test_a_longer_article_with_its_own_reporting_is_kept_and_says_whom_it_quotes():
    wire = Article(FERRY, "Ferry returns after a winter in the yard", "wire", None, MONDAY)
    column = Article(COLUMN, "The horn behind the pier", "gazette", None, MONDAY + timedelta(hours=3))
    stories = find_stories([wire, column], DecisionThresholds(), Reach())
    assert stories.leader == [0, 1]
    assert stories.embeds == {1: [0]}
    assert decide(wire, column._replace(published=MONDAY - timedelta(hours=3))).relation != "embedded"


def test_within_folds_what_was_published_close_together_and_what_has_no_date():
    dates = [MONDAY, MONDAY + timedelta(days=40), None]
    articles = [Article(FERRY, "Ferry returns", "wire", None, date) for date in dates]
    assert [leader for leader, _ in found(*articles)] == [0, 0, 0]
    assert [leader for leader, _ in found(*articles, within=timedelta(days=30))] == [0, 1, 0]


def test_many_copies_of_one_story_come_to_few_decisions():
    articles = [Article(FERRY.replace("nine", f"{n}"), "Ferry returns", f"s{n}") for n in range(3 * MAX_DECIDED)]
    assert {leader for leader, _ in found(*articles)} == {0}


def test_what_is_held_at_a_time_decides_nothing(monkeypatch):
    articles = [
        Article(text, f"Ferry {number % 3}", f"s{number % 4}", None, MONDAY + timedelta(hours=number % 5))
        for number, text in enumerate(
            [FERRY, LATER, FERRY.replace("nine", "ten"), "\n\n".join(PARAGRAPHS[:3]), OTHER] * 5
        )
    ]
    expected = find_stories(articles, DecisionThresholds(), Reach())
    for name in ("_BLOCK", "_READINGS", "_DECISIONS"):
        monkeypatch.setattr(stories, name, 1)
    assert find_stories(articles, DecisionThresholds(), Reach()) == expected
    assert len(set(expected.leader)) > 1


def test_articles_without_a_word_are_copies_of_the_same_text_alone():
    marks = [Article("* * *", "Ferry returns"), Article("* * *", "Ferry returns"), Article("---", "Ferry returns")]
    assert found(*marks) == [(0, None), (0, "exact"), (2, None)]
