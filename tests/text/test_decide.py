import functools
import json
import math
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.text.decide import (
    SAME_STORY,
    SAME_STORY_BASE,
    Article,
    DecisionThresholds,
    decide,
    decide_readings,
    read,
    sign_values,
)
from transforms.text.differences import find_differences
from transforms.text.publishers import publisher_of

MONDAY = datetime(2024, 3, 4, 9, tzinfo=UTC)

FERRY = """The island ferry returned to service on Monday after a winter in the yard at Port Ellery, the operator said.

Two new engines were fitted and the car deck was strengthened, at a cost of 4.2 million crowns. The work took eleven
weeks, three more than planned, because parts from the maker in Sundhaven arrived late.

"We know how hard this was for the people of the island," Marta Quill, the operator's director, told reporters at the
quay. She said that season tickets would be valid for an additional three months.

Fishermen had carried mail and medicine across the sound while the ferry was away. The school on the island held its
classes online for nine days in January, when storms closed the sound to small boats as well.

The regional council will decide in May whether to order a second ship, a plan that has been discussed for ten years."""

FURNITURE = """Sign up for our morning letter and never miss a story from the region.

More pictures: the harbour in winter. Ten walks for a rainy Sunday. The best bakeries between the coast and the lake.
How we chose our readers' favourite beaches, and why the smallest one came first again. The year in forty pictures.
What the weather map can and cannot tell. Our crossword, with yesterday's answers. A short history of the lighthouse.
Recipes for early spring. The column that readers wrote to us about most. Letters to the editor, and how to send one."""

BAKERS = """Bakers in three towns stopped work on Sunday night over shifts that begin at one in the morning.

Their union asked for a later start and for six crowns more an hour. The bakers' guild called the strike a blow to
small firms and said that bread would be scarce on Monday."""

OWLS = """A pair of owls has moved into the clock tower of Brenford, a caretaker found when the clock stopped.

The owls will stay until June, the mayor promised. Visitors may watch them from the market square, where the museum has
put up a telescope; the owls' first egg was seen through it on Sunday."""

GRANT = """Senator Ada Corwin announced today that the {town} Fire Department will receive {sum} dollars from the
federal programme for firefighters. "The men and women of {town} risk their lives for their neighbours," Corwin said.

The department will use the grant to buy {item}. The programme pays for equipment, training and vehicles, and has been
awarding grants directly to fire departments since it was founded. The {town} Fire Department serves {people} people.

Grants are awarded on a competitive basis to the departments that address the goals of the programme best."""


def relation(left: Article, right: Article, **thresholds: float) -> str:
    return decide(left, right, DecisionThresholds(**thresholds)).relation


def wire(text: str = FERRY, **known: object) -> Article:
    return Article(text, **{"title": "Ferry returns after a winter in the yard", "source": "Wire", **known})


def test_the_same_text_is_exact_even_under_another_headline():
    other = wire(title="Island ferry sails again", source="Gazette", url="https://gazette.example/1")
    assert relation(wire(), other) == "exact"


def test_a_copy_with_house_edits_is_near():
    edited = FERRY.replace("crowns", "kr").replace("told reporters at the\nquay", "said").replace(" on Monday", "")
    edited = "PORT ELLERY (Wire) - " + edited.replace("an additional", "another") + "\n\nEditing by J. Holm"
    decision = decide(wire(published=MONDAY), wire(edited, source="Gazette", published=MONDAY + timedelta(hours=5)))
    assert decision.relation == "near"
    assert decision.similarity.jaccard < 0.8


def test_the_first_paragraphs_are_an_excerpt():
    start = FERRY[: FERRY.index("Fishermen")]
    assert relation(wire(), wire(start, source="Gazette")) == "excerpt"
    assert relation(wire(), wire(start, source="Gazette"), min_excerpt_shingles=1000) != "excerpt"


def test_a_later_version_from_the_same_source_is_an_update():
    later = FERRY.replace(
        FERRY[FERRY.index("Fishermen") :],
        """On Tuesday the council in Port Ellery voted by seven to five for a second ship, to be built at home. The
mayor called it the end of a long wait; opponents said that the sum had grown by half since the first estimate.

The new ship is to carry forty cars, twice as many as today, and to run in weather that keeps the old one in port.""",
    )
    earlier = wire(published=MONDAY, url="https://wire.example/a")
    assert (
        relation(earlier, wire(later, published=MONDAY + timedelta(days=1), url="https://wire.example/b")) == "update"
    )


COUNCIL = """Islanders cheered in the street in Port Ellery on Tuesday as the council voted by seven to five for a
second ship, to be built at home. The mayor called it the end of a long wait; opponents said that the sum had grown.

The new ship is to carry forty cars, twice as many as today, and to run in weather that keeps the old one in port. It is
to be paid for by a levy on season tickets, to which the party of fishermen agreed at the last minute."""


@pytest.mark.parametrize("days", [1, -1])
def test_a_follow_up_that_opens_with_its_own_news_is_another_story(days):
    background = FERRY[FERRY.index("Two new engines") :].replace("eleven\nweeks, three more than planned", "long")
    follow_up = Article(f"{COUNCIL}\n\n{background}", "Council votes for a second ship", "Wire", None)
    first, second = wire(published=MONDAY), follow_up._replace(published=MONDAY + timedelta(days=days))
    decision = decide(first, second)
    assert decision.relation == "different"
    assert min(decision.signs, key=lambda sign: sign.points).name == "own_opening"
    one_page = "https://wire.example/live"
    assert relation(first._replace(url=one_page), second._replace(url=one_page)) == "update"


@pytest.mark.parametrize("days", [1, -1])
def test_a_piece_that_carries_another_of_its_source_below_its_own_embeds_it(days):
    longer = Article(f"{COUNCIL}\n\n{FERRY}", "Council votes for a second ship", "Wire", None, MONDAY + timedelta(days))
    assert relation(wire(published=MONDAY), longer) == "embedded"


def test_three_paragraphs_of_its_own_above_a_long_story_are_more_than_a_copy_of_it():
    long = FERRY + "\n\n" + FURNITURE + "\n\n" + OWLS + "\n\n" + BAKERS
    own = (
        COUNCIL
        + " A man who has driven the first ship for thirty years wept, and said that he had never hoped to see it."
    )
    earlier = wire(long * 2, published=MONDAY)
    for text, expected in ((own + BAKERS[:200], "embedded"), (COUNCIL[:200], "near")):
        later = Article(f"{text}\n\n{long * 2}", "Council votes", "Gazette", None, MONDAY + timedelta(hours=9))
        assert relation(earlier, later) == expected


@pytest.mark.parametrize(
    ("correction", "expected"),
    [(("4.2", "4.3"), "update"), (("nine days", "9 days"), "near"), (("a second ship", "another ship"), "near")],
)
def test_a_corrected_number_is_a_version_of_its_source_and_a_copy_elsewhere(correction, expected):
    corrected = FERRY.replace(*correction)
    decision = decide(wire(), wire(corrected))
    assert decision.relation == expected
    assert decision.is_own_version == (expected == "update")
    assert relation(wire(), wire(corrected, source="Gazette")) == "near"
    shorter = corrected[: corrected.index("Fishermen")]
    assert relation(wire(), wire(shorter)) == "excerpt"


def test_one_page_at_another_time_is_another_version():
    page = "https://wire.example/a"
    again = wire(FERRY.replace("a second ship", "another ship"), url=page, published=MONDAY)
    assert relation(wire(url=page, published=MONDAY), again) == "near"
    assert relation(wire(url=page, published=MONDAY - timedelta(days=1)), again) == "update"
    longer = wire(f"{FERRY}\n\n{FURNITURE}", url=page, published=MONDAY)
    assert relation(wire(url=page, published=MONDAY), longer) == "excerpt"
    assert relation(wire(url=page, published=MONDAY - timedelta(days=1)), longer) == "update"


def test_a_paragraph_more_is_a_version_and_captions_are_none():
    more = FERRY + "\n\nA spokesman for the fishermen called the plan late, and dear, and said they had not been asked."
    assert relation(wire(), wire(f"{more} They would go to court if they had to, he told the paper.")) == "update"
    assert relation(wire(), wire("Picture: the ferry at the quay\n\n" + FERRY)) == "near"


def test_a_headline_that_says_that_it_is_corrected_speaks_for_one_story():
    text = FERRY[: FERRY.index("Fishermen")]
    title = "Ferry returns after {} weeks in the yard"
    first = Article(text, title.format(11), "Wire", None, MONDAY)
    second = Article(text.replace("eleven", "twelve"), title.format(12), "Wire", None, MONDAY + timedelta(minutes=20))
    assert relation(first, second) == "different"
    for mark in ("CORRECTED - ", "Korrektur: ", "تصحيح: "):
        decision = decide(first, second._replace(title=mark + (second.title or "")))
        assert decision.relation == "update"
        assert next(sign.points for sign in decision.signs if sign.name == "corrected") > 0
    both = (article._replace(title=f"Update: {article.title}") for article in (first, second))
    assert relation(*both) == "different"


TAKES = """{lead}

Two new engines were fitted and the car deck was strengthened, at a cost of 4.2 million crowns. The work took eleven
weeks, three more than planned, because parts from the maker in Sundhaven arrived late.

{middle}

Fishermen had carried mail and medicine across the sound while the ferry was away. The school on the island held its
classes online for nine days in January, when storms closed the sound to small boats as well."""


def test_two_takes_of_a_story_in_two_houses_are_versions_and_house_edits_are_not():
    early = TAKES.format(
        lead=FERRY[: FERRY.index("\n")],
        middle="The operator did not say when the night crossings, which were stopped in November, would begin again.",
    )
    late = TAKES.format(
        lead="The island ferry returned to service on Monday after a winter in the yard, and broke down soon after.",
        middle='"I could weep," said Marta Quill, whom passengers greeted with whistles when the tug had come in.',
    )
    edited = early.replace("crowns", "kr").replace(", the operator said", "").replace("as well", "too")
    decision = decide(wire(early, source="Post"), wire(late, source="Gazette"))
    assert decision.relation == "update"
    assert not decision.is_own_version
    assert relation(wire(early, source="Post"), wire(edited, source="Gazette")) == "near"


@pytest.mark.parametrize(
    ("dateline", "credit", "expected"),
    [
        ("PORT ELLERY (AP) — ", "", "update"),
        ("", "— Reuters", "update"),
        ("(AP) — ", "— Reuters", "near"),
        ("", "", "near"),
    ],
)
def test_small_changes_make_a_version_of_a_wires_story_and_are_else_the_style_of_a_house(dateline, credit, expected):
    edits = (
        ("told reporters at the\nquay", "said"),
        ("an additional three months", "three months more"),
        ("Fishermen had carried", "Fishing boats carried"),
        ("held its\nclasses online", "taught its pupils online"),
        ("discussed for ten years", "talked about for a decade"),
        ("arrived late", "came late"),
    )
    edited = functools.reduce(lambda text, edit: text.replace(*edit), edits, FERRY)
    left, right = wire(dateline + FERRY, source="Post"), wire(f"{edited}\n\n{credit}".strip(), source="Gazette")
    assert relation(left, right) == expected
    assert relation(left, right._replace(source="Post")) == "update"


def test_passages_woven_into_a_story_that_changed_make_a_version_and_a_cut_is_an_excerpt():
    long = "\n\n".join((FERRY, OWLS, BAKERS, GRANT))
    cut = "\n\n".join((FERRY, GRANT))
    assert relation(wire(long), wire(cut)) == "excerpt"
    changed = cut.replace("Fishermen had carried", "Boats brought").replace("discussed for ten years", "long discussed")
    changed = changed.replace("told reporters at the\nquay", "said").replace("an additional three", "three more")
    woven = decide(wire(long), wire(changed))
    assert woven.similarity.containment > 0.8
    assert woven.relation == "update"
    assert woven.is_own_version
    assert relation(wire(long), wire(changed, source="Gazette")) == "excerpt"
    assert relation(wire(f"{long}\n\n{FURNITURE}\n\n{COUNCIL}"), wire(changed)) == "excerpt"


def test_what_one_source_prints_under_another_headline_with_text_of_its_own_is_another_story():
    background = FERRY[FERRY.index("Two new") :]
    first = Article(f"{COUNCIL}\n\n{background}", "Council votes for a second ship", "Wire", None, MONDAY)
    second = Article(
        "Fishermen in Port Ellery asked on Tuesday what they would be paid, as the council voted for a second ship.\n\n"
        f"{BAKERS}\n\n{background}",
        "Who carried mail and medicine",
        "Wire",
        None,
        MONDAY,
    )
    decision = decide(first, second)
    assert decision.relation == "different"
    assert next(sign.points for sign in decision.signs if sign.name == "own_headline") < -1
    one_page = "https://wire.example/live"
    same_page = decide(first._replace(url=one_page), second._replace(url=one_page))
    assert all(sign.value == 0 for sign in same_page.signs if sign.name == "own_headline")


def test_a_long_report_that_is_mostly_the_one_of_the_day_before_is_its_next_version():
    background = " ".join(FERRY.split()[20:]) + f"\n\n{FURNITURE}\n\n{OWLS}\n\n{GRANT}"
    first = Article(f"{COUNCIL[:330]}\n\n{background}", "Council votes for a second ship", "Wire", None, MONDAY)
    second = Article(
        f"{BAKERS}\n\n{background}", "Bakers ask what ships cost", "Wire", None, MONDAY + timedelta(hours=9)
    )
    decision = decide(first, second)
    assert decision.relation == "update"
    assert decision.values["own_headline"] == decision.values["own_opening"] == 0
    later, undated = second._replace(published=MONDAY + timedelta(days=2)), second._replace(published=None)
    assert relation(first, later) == relation(first, undated) == "different"


@pytest.mark.parametrize(
    ("source", "opening", "is_named"),
    [
        ("The Wire", "The Wire reports today that", True),
        ("The Wire (Online)", "The Wire reports today that", True),
        ("www.wirenews.example", "Wire News reports today that", True),
        ("The Wire", "The wire and the quay are new, and", False),
        ("Reuters", "Reuters reports today that", False),
        (None, "The Wire reports today that", False),
    ],
)
def test_what_opens_with_the_name_of_the_others_source_is_a_report_about_it(source, opening, is_named):
    lead = (
        f"{opening} our ferry is back at last, and none too soon, as all of us who wept at the quay that cold day know."
    )
    report = Article(
        f"{lead} {COUNCIL[:160]}\n\n{FERRY[FERRY.index('Two new') :]}", "Ferry is back", "Gazette", None, MONDAY
    )
    decision = decide(wire(source=source, published=MONDAY), report)
    assert (decision.values["names_other"] > 0.5) == is_named
    assert not is_named or decision.relation == "different"


def test_a_source_with_its_medium_in_brackets_is_that_source():
    first, second = (
        wire(source="The Harbor Gazette"),
        wire(FERRY.replace("4.2", "4.3"), source="harbor gazette (Online)"),
    )
    decision = decide(first, second)
    assert decision.relation == "update"
    assert decision.is_own_version
    assert publisher_of("Harbor Gazette (North)") != publisher_of("Harbor Gazette")


def test_one_page_of_one_date_under_other_furniture_is_a_copy():
    page = "https://wire.example/a"
    more = f"{FERRY}\n\n{BAKERS[:-100]}"
    assert relation(wire(url=page), wire(more, url=page)) == "update"
    assert relation(wire(url=page, published=MONDAY), wire(more, url=page, published=MONDAY)) == "near"


def test_a_roundup_that_carries_most_of_another_houses_story_below_its_own_is_no_copy():
    opening = f"{BAKERS}\n\n{OWLS}"
    reworded = FERRY.replace("Monday", "Sunday").replace("three more than planned", "longer than it was to be")
    roundup = Article(f"{opening}\n\n{COUNCIL}\n\n{reworded[:760]}", "The day on the coast", "Gazette", None, MONDAY)
    decision = decide(wire(published=MONDAY), roundup)
    assert decision.similarity.containment < 0.8
    assert decision.relation == "different"
    assert min(decision.signs, key=lambda sign: sign.points).name == "own_opening"


def test_what_carries_a_cut_copy_below_an_opening_of_its_own_is_no_part_of_the_story():
    cut = "\n\n".join([FERRY, OWLS, BAKERS, FURNITURE, GRANT])
    rest = " ".join(reversed(cut.split()))
    whole = Article(f"{cut}\n\n{rest}", "Ferry is back", "Wire", None, MONDAY)
    own = f"{COUNCIL} A man who has driven it for years wept, and said that he had never hoped for this."
    carrier = Article(f"{own}\n\n{cut}", "Council votes", "Gazette", None, MONDAY + timedelta(hours=9))
    decision = decide(whole, carrier)
    assert decision.similarity.containment > 0.8
    assert decision.relation == "different"
    assert decide(whole, carrier._replace(text=cut)).relation == "excerpt"


def test_other_punctuation_makes_no_version():
    assert relation(wire(), wire(FERRY.replace(",", ";"))) == "near"


def test_stories_from_one_template_are_different():
    towns = [
        GRANT.format(town="Aldwick", sum="48,000", item="a rescue boat", people="3,100"),
        GRANT.format(town="Brenford", sum="61,500", item="breathing apparatus", people="12,400"),
    ]
    decision = decide(*(Article(text, source="Senate", published=MONDAY) for text in towns))
    assert decision.relation == "different"
    assert decision.similarity.jaccard > 0.4
    assert min(decision.signs, key=lambda sign: sign.points).name in ("facts_same_source", "recurring")


AWARDS = """"These men and women need the tools of their trade, and I am glad that they will have them," said Senator
Ada Corwin. "The boats, pumps and training that the programme pays for are the key to keeping our homes and families
safe."

The following departments will receive grants this week: {}.

The programme for firefighters pays for equipment, training and vehicles, and has been awarding grants directly to fire
departments since it was founded. Departments apply once a year, and are chosen by their peers."""
AWARDED = [
    "Aldwick 48,310, Brenford 61,500, Cold Ashby 7,225, Dunmere and Port Ellery together 112,040",
    "Elmhurst 29,975, Great Tarn 83,120, the volunteers of Hollin 15,260, Isley 100,700, Kettle Cross 9,077, the "
    "district of Lower Wend 227,629",
]


def test_a_template_with_a_list_of_names_and_sums_is_another_story():
    week, next_week = (
        Article(AWARDS.format(awards), source="Senate", published=MONDAY + timedelta(days=days))
        for days, awards in zip((0, 7), AWARDED, strict=True)
    )
    decision = decide(week, next_week)
    assert decision.relation == "different"
    assert min(decision.signs, key=lambda sign: sign.points).name == "facts_same_source"
    page = "https://senate.example/awards"
    assert relation(week._replace(url=page), next_week._replace(url=page)) == "update"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "Marta Quill and Jonas Ferrant of the Port Ellery yard, who saw the smoke first, had called the office",
            "The mayor of Port Ellery, Ida Lowen, and the bishop, Karl Amsel, came to the quay to thank the crew of 11",
        ),
        (
            "Die Feuerwehr aus Sundhafen brachte Pumpen, Decken und Zelte, und die Schule wurde zur Unterkunft",
            "Der Verband der Reeder nannte Rost an den Ventilen als Ursache und kündigte Prüfungen aller 14 Schiffe an",
        ),
    ],
)
def test_a_new_passage_of_names_is_no_list(old, new):
    early, late = (wire(AWARDS.format(passage)) for passage in (old, new))
    assert find_differences(read(early).body, read(late).body).listed == 0
    assert relation(early, late) == "update"


def test_what_differs_is_found_where_a_headline_is_said_again():
    honours = (
        "COUNCIL NAMES {town} COUNTY STUDENTS TO THE ROLL OF HONOUR. The council said today that it names {number} "
        "{town} County students to the roll of honour. They have worked hard for it, the council said, and will do so."
    )
    one, other = (
        read(Article(honours.format(town=town, number=number))) for town, number in (("Aldwick", 9), ("Wend", 4))
    )
    found = find_differences(one.body, other.body)
    assert found.slots == 3  # a name, and a name and a number


@pytest.mark.parametrize("amount", ["61,500", "48,000"])
@pytest.mark.parametrize("sources", [("Post", "Gazette"), (None, None)])
def test_a_template_that_several_sources_fill_in_is_told_by_the_headline(sources, amount):
    long = (
        GRANT + GRANT[GRANT.index("The programme pays") : GRANT.index("The {town} Fire Department serves")] + FURNITURE
    )
    grants = [
        long.format(town="Aldwick", sum="48,000", item="a boat", people="3,100"),
        long.format(town="Brenford", sum=amount, item="a boat", people="3,100"),
    ]
    titles = [
        "Aldwick to receive 48,000 dollars for firefighters",
        f"Brenford to receive {amount} dollars for firefighters",
    ]
    decision = decide(*map(Article, grants, titles, sources))
    assert decision.relation == "different"
    assert decision.similarity.jaccard > 0.7
    assert min(decision.signs, key=lambda sign: sign.points).name in ("headline_facts", "headline_numbers")
    assert decide(Article(grants[0], titles[0], "Post"), Article(grants[0] + " Ends.", titles[1], "Gazette")).folds


@pytest.mark.parametrize("other", ["2.5", "two"])
def test_a_notice_that_differs_in_one_number_is_another_notice(other):
    notice = (
        "The central bank entered the market to arrange {} billion crowns of repurchase agreements for its customers, "
        "dealers said. Overnight money was trading at six per cent at the time of the operation."
    )
    first = Article(notice.format("1.5"), "BANK ADDS RESERVES", "Wire", None, MONDAY)
    assert relation(
        first, Article(notice.format(other), "BANK ADDS RESERVES", "Wire", None, MONDAY + timedelta(7))
    ) == ("different")


def test_pages_that_share_only_furniture_are_different():
    stories = {"Bakers strike over night work": BAKERS, "Owl nests in the town hall tower": OWLS}
    pages = [Article(f"{story}\n\n{FURNITURE}", title, "Gazette", None, MONDAY) for title, story in stories.items()]
    decision = decide(*pages)
    assert decision.relation == "different"
    assert decision.similarity.jaccard > 0.4


def test_galleries_of_two_years_are_different():
    left, right = (
        Article(f"A look back.\n\n{FURNITURE}", f"{year}: the year in pictures", "Gazette", f"https://g.example/{year}")
        for year in (2022, 2023)
    )
    assert relation(left, right) == "different"


SPELLINGS = [
    ("أعلنت الوزارة إعادة افتتاح الجسر بعد أعمال صيانة", "اعلنت الوزارة اعادة افتتاح الجسر بعد اعمال صيانه"),
    ("بلغت التكلفة 42 مليون ريال", "بلغت التكلفة ٤٢ مليون ريال"),
    ("أُعيدَ الافتتاحُ يومَ الأحد على مدى الأسبوع", "أعيد الافتتاح يوم الأحد على مدي الأسبوع"),
    ("Der Bürgermeister öffnete die Brücke", "DER BURGERMEISTER OFFNETE DIE BRUCKE"),
    ("seven ferries and Twelve crews", "7 ferries and 12 crews"),
    ("L’été, on n’attend pas", "L'ete, on n'attend pas"),
]


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_spelling_variants_are_shared_words(one, other):
    assert sign_values(read(Article(one)), read(Article(other)))["copied"] == 1.0


@pytest.mark.parametrize(
    ("story", "old", "new"),
    [
        (
            "气象厅说，台风{}号在{}以东的海面上形成，正以每小时二十公里的速度向西北移动，预计明天傍晚接近海岸。" * 2,
            "7",
            "11",
        ),
        ("気象庁によると、台風{}号が{}の東の海上で発生し、毎時二十キロの速さで北西に進んでいる。" * 2, "7", "11"),
    ],
)
def test_numbers_count_in_scripts_without_spaces(story, old, new):
    left, right = (Article(story.format(number, "岛", number, "岛"), source="agency") for number in (old, new))
    assert sign_values(read(left), read(right))["facts_same_source"] > 0.5


def test_signs_of_names_say_nothing_without_case():
    left = Article("قال الوزير إن الجسر الجديد في المدينة القديمة سيفتح قريبا", source="a")
    right = Article("قال الوزير إن الجسر الكبير في المدينة القديمة سيفتح قريبا", source="a")
    assert sign_values(read(left), read(right))["facts_same_source"] == 0.0


@pytest.mark.parametrize("text", ["", "?!", "Word", "两"])
def test_the_smallest_articles_are_copies_of_the_same_text_only(text):
    assert relation(Article(text), Article(text)) == "exact"
    assert relation(Article(text), Article(FERRY)) == "different"


def test_scores_are_the_sums_of_the_signs():
    decision = decide(wire(), wire(FERRY[:600], source="Gazette"))
    assert decision.score == pytest.approx(SAME_STORY_BASE + sum(sign.points for sign in decision.signs))
    assert {sign.name: sign.weight for sign in decision.signs} == SAME_STORY


VOCABULARY = "the Bridge of Wend 12 opened 1,400 again in May 东 京 الجسر — ."
words = st.sampled_from([*VOCABULARY.split(), "\n"])
texts = st.lists(words, max_size=60).map(" ".join)
articles = st.builds(
    Article,
    texts,
    st.none() | texts,
    st.none() | st.sampled_from(["a", "B"]),
    st.none() | st.sampled_from(["https://a.example/1", "http://www.a.example/1/", "b?id=2"]),
    st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
)


@settings(deadline=None, max_examples=300)
@given(articles, articles)
def test_the_order_does_not_matter_and_every_sign_is_a_number(left, right):
    decision = decide(left, right)
    assert decision._replace(similarity=None) == decide(right, left)._replace(similarity=None)
    assert all(math.isfinite(sign.value) and sign.value >= 0 for sign in decision.signs)
    values = sign_values(read(left), read(right))
    assert all(0 <= values[name] <= 1 for name in ("copied", "lead", "lead_of_longer", "headline_lost", "same_url"))
    if left.text == right.text:
        assert values["copied"] == values["lead"] == 1.0
        assert values["facts_same_source"] == values["facts_other_source"] == values["recurring"] == 0.0


def test_long_articles_take_linear_time():
    short, long = ([" ".join(f"w{(i * 7919) % 5000}" for i in range(n))] for n in (4_000, 40_000))
    seconds = []
    for (text,) in (short, long):
        left, right = read(Article(text)), read(Article(text.replace("w77", "v77")))
        decide_readings(left, right)  # compiles
        begin = time.process_time()
        decide_readings(left, right)
        seconds.append(time.process_time() - begin)
    assert seconds[1] < 60 * seconds[0] + 0.05


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (("Markets closed.", "MARKETS CLOSED"), ("Markets closed.", "Markets closed"), "exact"),
        (("Markets closed.", "Oslo"), ("Markets closed.", "Bergen"), "different"),
        (("Markets closed.", None), ("Markets closed.", None), "exact"),
        (("Markets closed.", "Oslo"), ("Markets closed!", "Oslo"), "different"),
        (("市场关闭", "今天"), ("市场关闭", "今天"), "exact"),
    ],
)
def test_fewer_words_than_a_shingle_are_copies_only_with_the_same_headline(left, right, expected):
    assert decide(Article(*left), Article(*right)).relation == expected


STORIES = json.loads((Path(__file__).parents[1] / "cases/scripts/stories.json").read_text("utf-8"))


@pytest.mark.parametrize("script", STORIES)
def test_a_copy_under_another_headline_is_a_copy_in_every_script(script):
    story = STORIES[script]
    tail = story[: len(story) // 3][::-1]  # what the other house put below it
    decision = decide(Article(story, source="a"), Article(story + "\n\n" + tail, source="b"))
    assert decision.relation in ("near", "excerpt", "update")
    assert decision.similarity.left_in_right > 0.9
    others = [other for name, other in STORIES.items() if name != script]
    assert all(decide(Article(story), Article(other)).relation == "different" for other in others)


@pytest.mark.parametrize(
    ("plain", "marked"),
    [
        ("أعيد افتتاح الجسر يوم الأحد بعد أعمال صيانة طويلة", "أُعِيدَ افتتاحُ الجسرِ يومَ الأحدِ بعدَ أعمالِ صيانةٍ طويلةٍ"),
        ("הגשר נפתח שוב ביום ראשון אחרי תיקונים", "הַגֶּשֶׁר נִפְתַּח שׁוּב בְּיוֹם רִאשׁוֹן אַחֲרֵי תִּיקּוּנִים"),
    ],
)
def test_vowel_points_change_nothing(plain, marked):
    decision = decide(Article(plain), Article(marked))
    assert (decision.relation, decision.similarity.jaccard) == ("near", 1.0)


def test_under_fifty_words_nothing_is_an_excerpt():
    first = " ".join(FERRY.split()[:60])
    assert decide(Article(first), Article(" ".join(first.split()[:40]))).relation == "near"
