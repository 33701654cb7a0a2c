"""Rule files: the shipped ones are sound, the user's are checked, and each mistake is told with its place."""

import pickle
import re

import pytest

from transforms.text.rules import (
    MAX_BLOCK_CHARS,
    CruftRules,
    Rule,
    RuleError,
    load_credit_rules,
    load_cruft_rules,
    normalise_block,
)

SHIPPED = load_cruft_rules()
# At least one block for each pattern of the shipped rules.
BLOCKS_BY_RULE = {
    "en/comment-form": [
        "Leave a Reply to Old Salt Cancel reply", "Click here to cancel reply to Old Salt",
        "You need to sign in to vote on this", "You may use these HTML tags and attributes: <a> <b>",
        "You can use these tags: <a> <b>", "XHTML: You can use these tags: <a> <b>",
        "You are commenting using your WordPress.com account. ( Log Out / Change )",
        "You can follow any responses to this entry through the RSS 2.0 feed. Pings are closed.",
        "2 thoughts on “Swing bridge reopens”", "1,204 Comments", "Comments (3)",
        "12 comments | Add a comment",
        "No comments: Post a comment", "View all 14 comments",
        "Be the first to comment on \"Swing bridge reopens\"",
        "Save my name, email, and website in my browser for the next time I comment",
        "Notify me when new comments are added via e-mail", "Notify me of new comments via email",
        "Subscribe to: Post Comments (Atom)", "TrackBack URL for this entry: https://example.org/t/1",
        "Comments are now closed for this story", "LOGIN TO COMMENT | REGISTER TODAY",
        "{ 24 comments… read them below or add one }", "First Name(Required)", "View comments (31)",
        "Post a comment on “Swing bridge reopens”", "6 thoughts on Swing bridge reopens", "Reader comments 22",
        "2 comments 1 person listening", "0 comments have been made", "Tweet 174 comments | Add comment",
        "Comments (11) Add a comment", "Listed below are links to weblogs that reference Swing bridge reopens",
    ],
    "en/post-date": ["Posted by Ines Harrow on May 3, 2023 | Permalink"],
    "en/byline": [
        "Posted by Ines at 2:12 PM", "Written by Ines Harrow", "By Ines Harrow at 2:12 pm",
    ],
    "en/subscribe-words": ["Subscribe to The Quay", "Register with the harbour for more"],
    "en/link-words": [
        "View all harbour news", "Similar articles on the quay", "Back to the harbour page",
        "Click here to find out more about the harbour",
    ],
    "en/comment-list": ["2 replies"],
    "en/share-bar": [
        "Share:FacebookXRedditEmail", "FacebookTwitterLinkedIn",
        "Be sociable, share", "Found this interesting? Share it with your crew",
        "Click to share on Mastodon (Opens in new window)", "Share on Facebook", "Share this post on X",
        "Tweet this story",
        "Facebook Twitter LinkedIn Email", "Share: 12", "3 bloggers like this:",
        "Share on FacebookShare on TwitterTweet", "Print this story: Share", "Facebook X Instagram YouTube",
        "digg this | reddit", "Like this story? Share it with a friend!",
        "Share. Facebook LinkedIn Copy Link Bluesky", "Follow on Facebook Follow on Instagram Follow on Bluesky",
    ],
    "en/count": ["14", "1.2K"],
    "en/source-link": [
        "View source version on example.org: https://example.org/1",
        "Click here to view the original article", "Source: link",
    ],
    "en/related-posts": [
        "More stories from Eastmere", "Discover more from The Quay", "Trending on The Quay",
        "You may like to read:", "Read more from Ines Harrow",
        "Related recipes", "See more of our harbour stories",
    ],
    "en/more-from": ["More from the harbour", "More in Harbour"],
    "en/archive-month": ["March 2012 (4)", "2012 (46)"],
    "en/read-more": ["Continue reading “Swing bridge reopens”"],
    "en/read-more-link": [
        f"{start} Ferry fares to rise in May"
        for start in (
            "Read more:", "Also read:", "Read also:", "Read next:", "See also:", "Related story:",
            "Related stories:",
            "Related article:", "Related articles:", "Related post:", "You may also like:",
            "You might also like:",
            "Don’t miss:", "More from the harbour:",
        )
    ],
    "en/post-navigation": [
        "Previous post: Lighthouse gets a keeper", "Previous Post | Next Post",
        "Next: Ferry fares to rise", "Next post Ferry fares to rise",
    ],
    "en/tags": [
        "Tags: bridges, Eastmere", "Filed under bridges", "Posted in Bridges | Leave a comment",
        "Bookmark the permalink now", "Tagged: bridges", "Topics: bridges", "Categories: bridges", "Labels: bridges",
        "Keywords: bridges", "Filed under: bridges", "Posted in: Bridges", "Related topics: bridges",
        "Tags #harbours #bridges",
    ],
    "en/entry-footer": [
        "This entry was posted on Monday", "Posted on May 3 | Comments",
        "This post was written by Ines Harrow and filed on Tuesday",
    ],
    "en/author-box": ["View all posts by Ines Harrow", "More articles by Ines Harrow"],
    "en/follow": [
        "Follow @harbourgazette",
        "Follow us on Facebook", "Follow us on social media", "Follow Ines Harrow on Twitter",
        "Follow Ines: @inesharrow",
    ],
    "en/share-label": ["Like this article"],
    "en/subscribe": [
        "Don’t miss a thing!",
        "This post is for paid subscribers", "Already a paid subscriber? Sign in",
        "Continue reading this post for free",
        "Join 1,204 other subscribers", "Enter your email to get the tide tables",
        "By signing up, you agree to our terms of service.",
        "This site is protected by hCaptcha and its terms apply.",
    ],
    "en/subscribe-call": [
        "Subscribe to The Quay via email", "Sign up for the tide alerts", "Join our mailing list today",
    ],
    "en/subscribe-pitch": ["Like the tides? Get them in your inbox"],
    "en/newsletter": [
        "Thanks for reading the Quay Letter! Subscribe for free to receive new posts",
        "Subscribe to our weekly harbour newsletter", "Sign up for the tide newsletter today.",
        "Sign-up for our tide newsletter", "Signup for our tide newsletter", "Click here to subscribe",
        "Want more stories like this? Join the quay list.",
        *(
            f"Get {words} tide news sent to your inbox"
            for words in ("the", "our", "all", "news", "more", "columns", "stories", "breaking", "daily",
                          "your", "insight", "articles")
        ),
    ],
    "en/app-promo": [
        "CLICK HERE TO GET THE EASTMERE APP", "Tap here to get the Eastmere app",
        "Get the Eastmere News app",
        "Download our Eastmere app today",
    ],
    "en/click-here": ["CLICK HERE FOR COMPLETE HARBOUR COVERAGE", "Click here for more tides on example.org"],
    "en/copyright": [
        "© Copyright 2023 Eastmere Tribune", "© 2023 Eastmere Tribune", "©2023 Eastmere Tribune",
        "(c) 2023 Eastmere Tribune",
        "Copyright 2023 Eastmere Tribune", "All rights reserved. No part of this may be copied.",
        "This copy is for your personal, non-commercial use only.",
        "This material may not be published, broadcast, rewritten or redistributed.",
    ],
    "en/cookie-notice": [
        "This site uses cookies.", "This website uses cookies.", "Our site uses cookies.",
        "Our website uses cookies.",
        "We use cookies to improve your experience.", "Privacy & Cookies: This site uses cookies.",
        "By continuing to use this website, you agree.",
    ],
    "de/comment-form": [
        "14 Kommentare", "Fehler auf hafenblatt.example entdeckt?", "Kommentare (0)",
        "Du kommentierst mit deinem WordPress.com-Konto. ( Abmelden / Ändern )",
        "2 Gedanken zu „Die Brücke ist wieder offen“", "Sie müssen sich anmelden, um einen Kommentar zu schreiben",
    ],
    "de/share-bar": ["Wenn dir der Beitrag gefallen hat, teile ihn:", "2 Bloggern gefällt das:"],
    "de/subscribe": [
        "Jetzt kostenlos anmelden!", "Abonnieren Sie unseren Hafen-Newsletter", "Schon registriert? Hier einloggen",
        "Mit der Anmeldung stimmen Sie den Bedingungen des Hafenblatts zu.",
        "Ja, ich möchte den Hafen-Newsletter erhalten.", "Nichts mehr verpassen: die Fahrpläne des Hafens",
    ],
    "de/follow": ["Folgen Sie uns auf Mastodon und Bluesky"],
    "de/related-posts": [ "Diese Artikel könnten dich auch interessieren",
        "Mehr zum Thema Drehbrücken", "Mehr aus dem Hafen",
        "Mehr Nachrichten aus Eastmere",
    ],
    "de/entry-footer": [
        "Über dieses Thema berichtete das Hafenradio am 3. Mai 2023 um 08:00 Uhr.",
        "Dieses Thema im Programm: Hafenradio, 3. Mai 2023",
    ],
    "es/comment-form": ["12 comentarios"],
    "es/follow": ["Seguir en: @ines_harrow"],
    "fr/comment-form": ["12 commentaires", "Voir les 12 commentaires"],
    "fr/subscribe": [
        "Pour lire la suite et trois autres articles, créez votre compte",
        "Il vous reste 57.09% de cet article à lire. La suite est réservée aux abonnés.",
        "Cet article est réservé aux abonnés.", "Vous pouvez lire Le Quai sur un seul appareil à la fois",
        "Parce qu’une autre personne (ou vous) est en train de lire Le Quai sur un autre appareil.",
        "Déjà abonné ? Identifiez-vous",
    ],
    "fr/follow": ["Suivez-nous sur Mastodon et Bluesky"],
    "fr/related-posts": ["Plus d’articles sur le port", "Toute l’actualité du port"],
    "fr/link-words": ["Voir toutes les photos du port"],
    "fr/subscribe-call": [
        "Rejoignez notre chaîne du port",
        "Cliquez ici pour les marées",
        "Abonnez-vous à partir de 1 € par mois", "Inscrivez-vous à la newsletter du port",
        "Retrouvez le port sur Facebook", "Téléchargez notre application du port",
        "Pour ne rien manquer du port, abonnez-vous",
    ],
    "it/comment-form": ["12 commenti"],
    "nl/comment-form": ["12 reacties"],
    "pl/comment-form": ["12 komentarzy", "Komentarze Liczba komentarzy: 6"],
    "pt/comment-form": ["12 comentários"],
    "ru/comment-form": [
        "Если вы заметили ошибку, выделите её",
        "Нашли опечатку? Выделите её и нажмите Ctrl+Enter",
        "12 комментариев"],
    "ru/related-posts": ["Ещё новости о порте"],
    "ru/subscribe-call": [
        "Главные новости порта — в нашем Telegram-канале",
        "Присоединяйтесь к порту",
        "Хотите быть в курсе приливов? Подпишитесь",
        "Подписаться на канал порта",
        "Подписывайтесь на нас в Дзене и читайте о порте",
        "Подпишитесь на наши новости порта", "Читайте нас в нашем порту", "Следите за новостями в нашем канале",
        "Скачайте приложение порта",
    ],
    "tr/comment-form": ["12 yorum"],
    "tr/follow": ["Bizi Mastodon'da takip edin"],
    "ar/subscribe-call": [
        "انضم إلى قناة الميناء",
        "لمتابعة آخر أخبار الميناء",
        "لقراءة المقال من الميناء",
        "اشترك في نشرتنا عن الميناء", "تابعنا على فيسبوك", "تابعونا على تويتر", "حمل تطبيق الميناء",
    ],
    "de/subscribe-call": [
        "Melden Sie sich hier für unseren Newsletter an.", "Abonnieren Sie unseren Newsletter vom Hafen",
        "Jetzt den Hafenbrief kostenlos sichern", "Hier geht es zum Newsletter vom Hafen",
        "2 Wochen kostenlos testen", "Folgen Sie dem Hafenboten auf Facebook",
    ],
    "en/tag-list": [
        "Categories harbours, bridges",
    ],
    "en/author-label": [
        "About Ines Harrow",
    ],
    "en/subscribe-offer": [
        "If you enjoyed this article, please sign up for our newsletter", "Subscribe to receive the tide tables",
        "Sign up today and sail with us", "Subscribe now for the tide tables", "Subscribe — free! Email this post",
    ],
    "en/advertisement": [
        "Advertisement 2",
    ],
    "es/subscribe-call": [
        "Únete a nuestro canal del puerto",
        "Suscribite a la carta del puerto",
        "Haz clic aquí para seguir el puerto",
        "Suscríbete a nuestra carta del puerto", "Recibe las mareas en tu correo",
        "Síguenos en Facebook y en el muelle", "Regístrate gratis en el puerto", "Descarga nuestra app del puerto",
    ],
    "it/subscribe-call": [
        "Unisciti al nostro canale del porto",
        "Clicca qui per le maree",
        "Resta aggiornato sulle maree",
        "Iscriviti alla lettera del porto", "Ricevi le maree via e-mail", "Seguici anche su Facebook",
        "Segui il porto su Instagram", "Scarica la nostra app del porto", "Abbonati a tutto il porto",
    ],
    "ja/related-line": [
        "【関連記事】橋が開く",
    ],
    "nl/subscribe-call": [
        "Meld je aan voor de nieuwsbrief van de haven", "Ontvang de getijden per e-mail", "Volg de haven op Facebook",
    ],
    "pl/subscribe-call": [
        "Dołącz do naszej grupy portowej",
        "Śledź port w Google News",
        "Zapisz się na nasz portowy newsletter", "Obserwuj nas na Facebooku", "Pobierz naszą aplikację",
        "Subskrybuj nasz kanał portowy",
    ],
    "pt/subscribe-call": [
        "Entre no nosso grupo do porto no WhatsApp",
        "Clique aqui e leia as marés",
        "Acompanhe o porto nas redes sociais",
        "Assine a nossa newsletter do porto", "Inscreva-se no canal do porto", "Siga o porto no Instagram",
        "Receba as marés por e-mail", "Baixe o aplicativo do porto",
    ],
    "tr/subscribe-call": [
        "Son dakika haberleri için limanı takip edin",
        "WhatsApp kanalımıza limandan katılın",
        "E-bültenimize üye olun", "Gelişmeleri limandan takip edin", "Uygulamamızı indirin, limanı izleyin",
    ],
    "uk/subscribe-call": [
        "Усі новини порту — в нашому Telegram",
        "Приєднуйтесь до порту",
        "Підписуйтесь на канал порту", "Підписуйтеся на новини порту", "Підпишіться на новини порту",
        "Читайте нас у порту",
    ],
    "zh/post-navigation": [
        "上一篇：港口的桥", "下一篇：渡轮涨价",
    ],
    "uk/comment-form": [
        "Якщо ви помітили помилку, виділіть її",
        "Знайшли помилку? Виділіть її та натисніть Ctrl+Enter!",
    ],
    "sv/subscribe-call": [
        "Följ hamnen på Facebook",
        "Prenumerera på hamnens brev",
        "Anmäl dig till hamnens nyhetsbrev",
    ],
    "da/subscribe-call": [
        "Følg havnen på Facebook",
        "Tilmeld dig havnens nyhedsbrev",
    ],
    "nb/subscribe-call": [
        "Følg oss på havnen",
        "Meld deg på havnens nyhetsbrev",
    ],
    "fi/subscribe-call": [
        "Seuraa satamaa Facebookissa",
        "Tilaa sataman uutiskirje",
    ],
    "cs/subscribe-call": [
        "Sledujte přístav na Facebooku",
        "Přihlaste se k odběru zpráv z přístavu",
        "Odebírejte přístavní newsletter",
    ],
    "sk/subscribe-call": [
        "Sledujte prístav na Instagrame",
        "Prihláste sa na odber správ z prístavu",
    ],
    "hu/subscribe-call": [
        "Iratkozzon fel kikötői hírlevelünkre",
        "Kövessen minket a kikötőben",
    ],
    "ro/subscribe-call": [
        "Urmărește-ne din port pe Facebook",
        "Abonează-te la scrisoarea portului",
        "Intră pe canalul portului de WhatsApp",
    ],
    "bg/subscribe-call": [
        "Последвайте пристанището във Facebook",
        "Абонирайте се за писмото на пристанището",
    ],
    "el/subscribe-call": [
        "Ακολουθήστε το λιμάνι στο Facebook",
        "Εγγραφείτε στο newsletter του λιμανιού",
        "Δείτε όλες τις τελευταίες ειδήσεις από το λιμάνι",
    ],
    "id/subscribe-call": [
        "Ikuti kabar pelabuhan di Google News",
        "Baca berita pelabuhan lainnya",
        "Dapatkan update kabar pelabuhan",
    ],
    "vi/subscribe-call": [
        "Theo dõi bến cảng trên Google News",
    ],
    "hr/subscribe-call": [
        "Pratite luku na Facebooku",
        "Pretplatite se na lučko pismo",
    ],
    "sr/subscribe-call": [
        "Pratite luku na Fejsbuku",
        "Пратите луку на Фејсбуку",
    ],
    "zh/subscribe-call": [
        "扫描港口二维码关注我们",
        "关注港口微信公众号",
    ],
    "zh/source-link": [
        "原文链接：https://example.org/1",
    ],
    "en/embed": [
        "A post shared by Harbour Watch (@harbourwatch)",
        "To view this content, you need to update your privacy settings.",
        "This content is not available in your region",
        "This video is unavailable in your region",
        "Content from Instagram can't be displayed due to your privacy settings",
    ],
    "en/reading-time": [
        "Reading time: 4 minutes",
        "Estimated reading time: 4 minutes",
    ],
    "de/embed": [
        "Ein Beitrag geteilt von Hafenwacht (@hafenwacht)",
    ],
    "de/reading-time": [
        "Lesezeit: 4 Minuten",
    ],
    "de/subscribe-offer": [
        "Jeden Morgen die wichtigsten Nachrichten aus der Region direkt in Ihr Postfach.",
        "Die wichtigsten Nachrichten des Tages per E-Mail",
        "Ich bin damit einverstanden, dass mir Angebote zugesandt werden.",
        "Mit meiner Anmeldung stimme ich der Datenschutzerklärung zu.",
        "Die Einwilligung kann ich jederzeit widerrufen.",
    ],
    "fr/embed": [
        "Une publication partagée par Le Quai (@lequai)",
    ],
    "fr/reading-time": [
        "Temps de lecture : 4 min",
    ],
    "fr/subscribe-offer": [
        "Recevez les horaires des marées par e-mail",
        "Recevez chaque matin l'essentiel de l'actualité dans votre boîte mail.",
        "Chaque matin, l'essentiel de l'actualité dans votre boîte mail.",
        "En vous inscrivant, vous acceptez nos conditions générales d'utilisation.",
    ],
    "es/embed": [
        "Una publicación compartida por El Muelle (@elmuelle)",
    ],
    "es/reading-time": [
        "Tiempo de lectura: 4 min.",
    ],
    "es/subscribe-offer": [
        "Cada mañana, las noticias del puerto en tu correo.",
        "Al suscribirte, aceptas las condiciones de uso.",
    ],
    "pt/embed": [
        "Uma publicação compartilhada por O Cais (@ocais)",
    ],
    "pt/reading-time": [
        "Tempo de leitura: 4 minutos",
    ],
    "pt/subscribe-offer": [
        "Ao se inscrever, você concorda com os termos de uso.",
    ],
    "it/embed": [
        "Un post condiviso da Il Molo (@ilmolo)",
    ],
    "it/reading-time": [
        "Tempo di lettura: 4 min",
    ],
    "it/subscribe-offer": [
        "Ogni mattina le notizie più importanti nella tua casella di posta.",
    ],
    "nl/embed": [
        "Een bericht gedeeld door De Kade (@dekade)",
    ],
    "nl/reading-time": [
        "Leestijd: 4 minuten",
    ],
    "pl/embed": [
        "Post udostępniony przez Nabrzeże (@nabrzeze)",
    ],
    "pl/reading-time": [
        "Czas czytania: 4 min",
    ],
    "pl/subscribe-offer": [
        "Codziennie rano najważniejsze wiadomości w Twojej skrzynce.",
    ],
    "ru/embed": [
        "Публикация от Порт (@port)",
    ],
    "ru/reading-time": [
        "Время чтения: 4 минуты",
    ],
    "uk/reading-time": [
        "Час читання: 4 хв",
    ],
    "tr/reading-time": [
        "Okuma süresi: 4 dk",
    ],
    "tr/subscribe-offer": [
        "Günün önemli haberleri e-posta kutunuza gelsin.",
    ],
    "id/embed": [
        "Sebuah kiriman dibagikan oleh Dermaga (@dermaga)",
    ],
    "id/reading-time": [
        "Waktu baca: 4 menit",
    ],
    "sv/embed": [
        "Ett inlägg delat av Kajen (@kajen)",
    ],
    "sv/subscribe-offer": [
        "Få de viktigaste nyheterna varje morgon i din inkorg.",
    ],
    "nb/embed": [
        "Et innlegg delt av Kaien (@kaien)",
    ],
    "da/embed": [
        "Et opslag delt af Kajen (@kajen)",
    ],
    "cs/embed": [
        "Příspěvek sdílený Nábřežím (@nabrezi)",
    ],
    "cs/reading-time": [
        "Doba čtení: 4 min",
    ],
    "ro/embed": [
        "O postare distribuită de Cheiul (@cheiul)",
    ],
    "ro/reading-time": [
        "Timp de citire: 4 min",
    ],
    "ko/comment-form": [
        "댓글 12",
    ],
    "ko/post-date": [
        "기사입력 2023/05/03 18:40",
    ],
    "ko/subscribe-call": [
        "제보는 카카오톡 harbor",
    ],
    "vi/comment-form": [
        "Bình luận (12)",
        "Ý kiến bạn đọc (3)",
    ],
    "vi/copyright": [
        "Bản quyền thuộc về Báo Cảng",
    ],
    "ja/subscribe-offer": [
        "毎朝、主要ニュースをメールでお届けします。",
    ],
    "en/feedback": [
        "Was this article helpful?",
        "Did you find this article useful?",
        "84% of people found this article helpful.",
        "Report an editorial error",
        "Do you have a story to tell? Email: desk@harbourgazette.example",
        "Get in touch with our news team by emailing us at desk@harbourgazette.example.",
        "For more stories like this, check our news page.",
    ],
    "en/call-to-action": [
        "Book a free demo today",
        "Start your free 14-day trial",
        "Contact us today for a free demo",
        "Request information",
    ],
    "en/related-line": [
        "Related: Ferry fares to rise in May",
        "RELATED COVERAGE: Ferry fares to rise in May",
        "Related video: The bearing is lifted out",
    ],
}  # fmt: skip
RULE = '[[rule]]\nname = "en/tide"\nkind = "cruft"\nstrength = "strong"\nliterals = ["Tide tables"]\n'


@pytest.mark.parametrize(
    ("name", "block"), [(name, block) for name, blocks in BLOCKS_BY_RULE.items() for block in blocks]
)
def test_block_is_found_by_its_rule(name, block):
    rule = SHIPPED.find(block)
    assert rule is not None
    assert rule.name == name


def test_every_pattern_has_a_block_that_it_matches():
    unused = [
        pattern
        for rule in SHIPPED.rules
        for pattern in rule.patterns
        if not any(re.fullmatch(pattern, normalise_block(block)) for block in BLOCKS_BY_RULE.get(rule.name, []))
    ]
    assert unused == []


def test_every_literal_is_found_by_its_own_rule_or_one_of_another_language_that_does_the_same():
    for rule in SHIPPED.rules:
        for literal in rule.literals:
            found = SHIPPED.find(literal)
            assert found is not None, literal
            assert (found.kind, found.strength) == (rule.kind, rule.strength), literal
            assert found is rule or found.language != rule.language, literal


def test_there_are_rules_in_eighty_languages():
    assert len({rule.language for rule in SHIPPED.rules}) >= 80


@pytest.mark.parametrize(
    ("block", "name"),
    [
        ("Etiquetas: puentes, Eastmere", "es/tag-label"),
        ("Lesen Sie auch: Fähre wird teurer", "de/read-more-link"),
        ("関連記事：橋が開く", "ja/read-more-link"),
    ],
)
def test_a_label_is_found_before_its_colon(block, name):
    rule = SHIPPED.find(block)
    assert rule is not None
    assert rule.form == name.partition("/")[2]


def test_a_list_of_tags_may_be_longer_than_a_short_block():
    tags = ", ".join(["ponts", "Eastmere", "port", "navigation"] * 6)
    rule = SHIPPED.find(f"Mots-clés : {tags}")
    assert rule is not None
    assert rule.name == "fr/tag-label"
    assert SHIPPED.find(f"Tags: {tags}").name == "en/tags"
    assert SHIPPED.find(f"Mots-clés : {tags}, et le conseil a rouvert le pont mardi.") is None
    assert SHIPPED.find(f"Lire aussi : {tags}") is None


def test_a_label_before_a_sentence_is_prose():
    assert SHIPPED.find("Themen: Der Rat tagt am Montag.") is None
    assert SHIPPED.find("Comment: The council meets on Monday") is None


def test_rules_survive_pickling():
    copy = pickle.loads(pickle.dumps(SHIPPED))
    assert copy == SHIPPED
    assert copy.find("Leave a Reply").name == "en/comment-form"
    assert pickle.loads(pickle.dumps(load_credit_rules())) == load_credit_rules()


def test_a_pickle_holds_the_rules_only():
    assert len(pickle.dumps(SHIPPED)) < 2 * sum(
        len(text) for rule in SHIPPED.rules for text in rule.literals + rule.patterns
    )


def test_of_two_languages_the_weaker_rule_has_the_word():
    strong = Rule(name="en/share-bar", kind="cruft", strength="strong", literals=("Dele",))
    weak = Rule(name="da/share-label", kind="cruft", strength="weak", literals=("Dele",))
    for rules in ((strong, weak), (weak, strong)):
        assert CruftRules(rules).find("Dele") is weak


def test_no_block_over_the_bound_is_looked_up():
    assert SHIPPED.find("© 2023 " + "x" * MAX_BLOCK_CHARS) is None


def test_user_file_adds_and_disables(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(f'disable = ["en/source-link"]\n{RULE}', "utf-8")
    rules = load_cruft_rules(file)
    assert rules.find("Source link") is None
    assert rules.find("Tide tables").name == "en/tide"
    assert len(rules.rules) == len(SHIPPED.rules)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule", r"mine\.toml: not TOML: .*; correct the line"),
        ("rules = []", r"field \[rules\] is unknown; write \[\[rule\]\]"),
        ("rule = 3", r"field \[rule\] is no list of tables"),
        ('disable = "en/tags"', r"field \[disable\] is no list of strings"),
        (
            'disable = ["en/nothing"]',
            r"field \[disable\] names no rule: \[en/nothing\]; `cleancopy rules` lists them",
        ),
        (RULE.replace("en/tide", "tide"), r"rule \[tide\]: field \[name\] is no rule name"),
        (RULE.replace("en/tide", "en/tags"), r"rule \[en/tags\]: field \[name\] is taken; disable"),
        (
            RULE.replace('"cruft"', '"junk"'),
            r"rule \[en/tide\]: field \[kind\] is \[junk\]; write one of cruft, promo",
        ),
        (
            RULE.replace('"strong"', '"medium"'),
            r"field \[strength\] is \[medium\]; write one of strong, weak",
        ),
        (RULE + "colour = 1\n", r"field \[colour\] is unknown; fields are .*literals"),
        (RULE + "together = 3\n", r"field \[together\] is \[3\]; write a number, in weak rules only"),
        (RULE + "before_colon = 1\n", r"field \[before_colon\] is \[1\]; write true or false"),
        (RULE + "not_sentence = 1\n", r"field \[not_sentence\] is \[1\]; write true or false"),
        (RULE.replace('["Tide tables"]', '"Tide tables"'), r"field \[literals\] is no list of strings"),
        (RULE.replace('["Tide tables"]', "[]"), r"field \[literals\] is missing"),
        (RULE.replace("Tide tables", "***"), r"field \[literals\] \[\*\*\*\] has no letters"),
        (RULE + RULE.replace("en/tide", "en/ebb"), r"\[Tide tables\] is in \[en/tide\] too"),
        (RULE + 'patterns = ["tide ("]\n', r"field \[patterns\] \[tide \(\] is no regex"),
        (RULE + 'patterns = ["tide (s)"]\n', r"has a capturing group; write \(\?:…\)"),
        (RULE + 'patterns = ["(?:tide)?"]\n', r"matches an empty block"),
        (RULE + 'patterns = ["Tide"]\n', r"has capitals; write it in lower case"),
        (
            RULE.replace('"cruft"', '"promo"').replace('"strong"', '"weak"'),
            r"a promo goes wherever it stands",
        ),
        (
            RULE.replace('"cruft"', '"promo"') + 'patterns = ["a?bcdefghi"]\n',
            r"does not start with 8 plain characters",
        ),
        (
            RULE.replace('"cruft"', '"promo"') + 'patterns = ["tide table|ebb"]\n',
            r"write one pattern for each beginning",
        ),
    ],
)
def test_a_mistake_names_file_rule_field_and_remedy(tmp_path, text, message):
    file = tmp_path / "mine.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(RuleError, match=message) as caught:
        load_cruft_rules(file)
    assert str(caught.value).startswith(str(file))
