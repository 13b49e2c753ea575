"""Plain sentences are read: by corpora, by properties, and by what must never be misread."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from adapters.cli.commands import ritme
from bot.catalogue.conversation import GUESSES
from bot.commands import COMMANDS
from bot.domain.person import Language
from bot.understanding import CRISIS, OTHER, read, read_for_despair, understand_sentence
from bot.understanding.bayes import Documents, Features, NaiveBayes
from bot.understanding.phrasebook import MIN_COVERAGE, SHOWN_MEANINGS, phrase_book, read_examples
from bot.understanding.text import tokenize
from tests.understanding import corpus, score

CORPORA = Path(__file__).resolve().parents[1] / "corpora"
MEANINGS = {*GUESSES, CRISIS, OTHER, "help", "thanks", "smalltalk"}


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_our_own_corpus_is_read_and_nothing_risky_is_surely_misread(language: Language) -> None:
    rows = corpus(CORPORA / f"understanding_{language.value}.jsonl")
    result = score(rows)
    assert result.right / result.sentences >= 0.95, result.missed
    assert len(result.wrong) / result.sentences <= 0.01, result.wrong
    assert result.harmful == []
    assert result.rests_right / result.rests >= 0.9
    for meaning in ("forget", CRISIS):
        risky = score(row for row in rows if row["intent"] == meaning)
        assert risky.right / risky.sentences >= 0.95, risky.missed


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_examples_are_read_as_what_they_are_examples_of(language: Language) -> None:
    examples = read_examples(language)
    assert {meaning for meaning, _ in examples} == MEANINGS
    read_well = [read(sentence, language).meaning == meaning for meaning, sentence in examples[::5]]
    assert sum(read_well) / len(read_well) >= 0.93


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_both_languages_have_a_book_for_every_meaning(language: Language) -> None:
    assert {phrase.meaning for phrase in phrase_book(language).phrases} == MEANINGS


@pytest.mark.parametrize(
    ("text", "meaning", "rest"),
    [
        ("ik zit vast", "stuck", ""),
        ("ik zit vast met de overdracht", "stuck", "de overdracht"),
        ("I am stuck with the family", "stuck", "the family"),
        ("I'm stuck with the handover", "stuck", "the handover"),
        ("dankjewel!", "thanks", ""),
        ("vast bedankt voor de moeite", "thanks", ""),
        ("hello", "help", ""),
        ("vergeet mij", "forget", ""),
        ("waarom krijg ik dit", "me", ""),
        ("wie kan mij helpen met de moestuin", "connect", "de moestuin"),
        ("Ritme, ik zit vast met het rooster", "stuck", "het rooster"),
        ("IK ZIT VAST!!!", "stuck", ""),
        ("ik zit vsat met de overdracht", "stuck", "de overdracht"),
        ("I'll call her tomorrow", "step", "I'll call her tomorrow"),
        ("hoe ver komen we?", "reach", ""),
        ("who do we not reach?", "reach", ""),
        ("which teams don't we reach yet?", "reach", ""),
        ("waarom deze mensen?", "why", ""),
        ("why did you suggest them?", "why", ""),
        ("deze mensen nu niet", "rest", ""),
        ("let these people rest for now", "rest", ""),
        ("stel mij niet meer voor", "me", ""),
        ("don't suggest me any more", "me", ""),
        ("deze mensen komen niet meer", "stuck", "deze mensen komen niet meer"),
        ("ik bereik de familie niet", "stuck", "ik bereik de familie niet"),
    ],
)
def test_what_people_typed_in_vain_is_understood(text: str, meaning: str, rest: str) -> None:
    reading = understand_sentence(text)
    assert (reading.meaning, reading.rest, reading.sure) == (meaning, rest, True)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("vast: de huisarts reageert niet", "de huisarts reageert niet"),
        ("moet je horen, de buurvrouw kookt nu voor de hele flat", "de buurvrouw kookt nu voor de hele flat"),
        ("mag ik iets moois delen? meneer Bos lachte vandaag", "meneer Bos lachte vandaag"),
        ("guess what, the night shift wrote back to us!", "the night shift wrote back to us!"),
        ("good evening, I'm stuck with the handover", "the handover"),
        ("ik zit vast met de overdracht, alvast bedankt!", "de overdracht"),
        ("ik zit vast met de overdracht 🙏😅", "de overdracht"),
        ("stuck: nobody answers, thanks in advance", "nobody answers"),
        ("verhaal: ze zei dankjewel en lachte", "ze zei dankjewel en lachte"),
        ("leuk om te delen: vandaag zong de hele gang mee", "vandaag zong de hele gang mee"),
        ("met wie kan ik sparren over slaap?", "slaap"),
        ("op vakantie tot september, even niks sturen graag", "september"),
        ("meld je over een maand maar weer", "over een maand"),
        ("vandaag gebeurde er iets moois: mevrouw zong mee met de radio", "mevrouw zong mee met de radio"),
        ("any ideas? the kitchen won't let residents cook", "the kitchen won't let residents cook"),
        ("mevrouw zei vandaag: nu hoor ik erbij", "mevrouw zei vandaag: nu hoor ik erbij"),
        ("verhaal: het regende weer", "het regende weer"),
        ("kans: er komt geld vrij voor de tuin, daar kunnen we misschien iets mee", "er komt geld vrij voor de tuin"),
        ("ik zoek iemand die goed is in filmpjes maken", "iemand die goed is in filmpjes maken"),
        ("ik heb een verhaal: de directeur heeft meegewassen 😄", "de directeur heeft meegewassen 😄"),
        ("hoi Ritme, de kok wil niet meedoen aan het proeven", "de kok wil niet meedoen aan het proeven"),
        (
            "verhaal van de nacht: samen thee gedronken om vier uur en daarna sliep hij",
            "samen thee gedronken om vier uur en daarna sliep hij",
        ),
        ("deze maand even niet, mijn moeder is ziek", "deze maand"),
        ("nog niet gelukt, te druk gehad", ""),
        ("not yet, next week another try", "next week another try"),
        ("je moet Fatima hebben, die kent iedereen", "Fatima"),
        ("delete my story about the garden, they recognised themselves", "about the garden"),
        ("every week is far too much, make it once a month", "once a month"),
        ('"forget it" is all they said, what now', '"forget it" is all they said, what now'),
    ],
)
def test_what_is_kept_leaves_off_how_a_message_begins_and_ends(text: str, rest: str) -> None:
    assert understand_sentence(text).rest == rest


@pytest.mark.parametrize("text", ["de bakker staat op de stoep", "we vervangen de stoel", "hij is verwend"])
def test_an_ordinary_word_is_not_taken_for_a_mistyped_word_of_danger(text: str) -> None:
    assert understand_sentence(text).meaning != CRISIS


def test_a_question_is_heard_without_its_mark_and_is_no_story() -> None:
    assert read("kan ik mijn jas ergens in de gang hangen", Language.NL).meaning == OTHER
    assert read("mijn jas hing ergens in de gang", Language.NL).meaning in ("story", "stuck")


def test_who_says_much_tells_something() -> None:
    told = "de schilder kwam voor de kozijnen en bleef tot de koffie zitten kletsen met tante Ria"
    assert read(told, Language.NL).meaning == "story"


@pytest.mark.parametrize(
    "text",
    [
        "ze zijn altijd net weg",
        "hij wilde niet meer eten maar at zijn bord leeg",
        "niemand weet wat hij morgen moet doen",
        "de batterij van de tillift is dood",
        "hoe zat dat met de bus",
        "ik ga kapot aan de werkdruk",
        "im dying to tell you about the garden",
    ],
)
def test_half_of_a_phrase_of_despair_is_no_despair(text: str) -> None:
    assert understand_sentence(text).meaning != CRISIS


@pytest.mark.parametrize("day", ["dinsdag", "vr", "zaterdagochtend", "donderdga"])
def test_what_is_said_for_one_day_is_understood_for_another(day: str) -> None:
    reading = understand_sentence(f"kan de vraag naar {day}")
    assert (reading.meaning, reading.rest) == ("rhythm", day)


class TestWordsByThemselves:
    bayes = NaiveBayes(
        Features({"fruit": [[("red", "apple")], [("apple",)]], "car": [[("red", "car")], [("fast", "car")]]})
    )

    def test_they_make_a_meaning_likely(self) -> None:
        likely = self.bayes.probabilities(["the", "apple"])
        assert likely["fruit"] > 0.9
        assert sum(likely.values()) == pytest.approx(1)

    def test_another_form_of_a_word_makes_it_likely_too(self) -> None:
        likely = NaiveBayes(Features({"plan": [[("notice",)]], "car": [[("wheel",)]]})).probabilities(["noticing"])
        assert likely["plan"] > likely["car"]

    def test_words_nobody_wrote_down_say_nothing(self) -> None:
        assert self.bayes.probabilities(["xyzzy"]) == {}
        assert self.bayes.probabilities([]) == {}

    def test_a_word_of_both_decides_nothing(self) -> None:
        likely = self.bayes.probabilities(["a", "red", "thing"])
        assert likely["fruit"] == pytest.approx(likely["car"])

    def test_among_some_meanings_the_others_say_nothing(self) -> None:
        documents: Documents = {
            "fruit": [[("red", "apple")]],
            "car": [[("red", "car")]],
            "door": [[("open", "red", "door")]],
        }
        few, alone = (
            NaiveBayes(Features(documents), among={"fruit", "car"}),
            NaiveBayes(Features({name: documents[name] for name in ("fruit", "car")})),
        )
        for words in (["red", "apple"], ["open", "door"], ["red"], ["open", "red", "car"]):
            assert few.probabilities(words) == alone.probabilities(words)

    def test_a_line_with_many_choices_says_no_more_than_one_without(self) -> None:
        one = NaiveBayes(Features({"fruit": [[("apple",)], [("pear",)]], "car": [[("car",)]]}))
        many = NaiveBayes(
            Features({"fruit": [[("apple",)], [("pear",), ("pear", "tree"), ("pear", "pie")]], "car": [[("car",)]]})
        )
        assert many.probabilities(["apple"])["fruit"] == pytest.approx(one.probabilities(["apple"])["fruit"])


@pytest.mark.parametrize(
    ("text", "words"), [("I'll go", "i will go"), ("I’ll go", "i will go"), ("ill", "ill"), ("tues", "monday")]
)
def test_words_are_known_by_what_they_stand_for_and_an_apostrophe_counts(text: str, words: str) -> None:
    assert " ".join(token.word for token in tokenize(text, phrase_book(Language.EN).spellings)) == words


@pytest.mark.parametrize("text", ["I will be here tomorrow", "ik wil er graag zijn"])
def test_a_phrase_of_despair_with_its_negation_left_out_says_nothing(text: str) -> None:
    reading = understand_sentence(text)
    assert CRISIS not in (reading.meaning, *reading.others)


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_no_phrase_of_which_enough_was_said_is_passed_over(language: Language) -> None:
    book = phrase_book(language)
    phrases = list(book.phrases)
    for row in corpus(CORPORA / f"understanding_{language.value}.jsonl")[::10]:
        said = {token.word for token in tokenize(row["text"], book.spellings)}
        enough = {
            number
            for number, phrase in enumerate(phrases)
            if sum(map(book.weight, said.intersection(phrase.words))) >= MIN_COVERAGE * book.totals[number]
        }
        assert enough <= book.needing.find(book.phrases.write(said))


@pytest.mark.parametrize(
    "text",
    [
        "ik wil er niet meer zijn",
        "ik wil niet meer leven",
        "i dont want to be here anymore, i want to die",
        "een bewoner staat op het dak wie moet ik bellen NU",
        "I'm thinking of killing myself",
        "i am afraid i will strangle him one day",
        "she says she will throw herself from the bridge",
    ],
)
def test_despair_and_danger_are_heard_and_keep_nothing(text: str) -> None:
    reading = understand_sentence(text)
    assert (reading.meaning, reading.rest) == (CRISIS, "")


@pytest.mark.parametrize("before", [0, 47, 55, 60, 200])
def test_despair_is_heard_wherever_it_stands_in_a_long_message(before: int) -> None:
    text = (
        f"{'we liepen een rondje ' * (before // 4)}{'en ' * (before % 4)}ik wil niet meer leven, en verder gaat het wel"
    )
    reading = understand_sentence(text)
    assert (reading.meaning, reading.rest, reading.sure) == (CRISIS, "", True)


@pytest.mark.parametrize("text", ["stop ermee zegt mijn manager steeds, maar wij willen door", "kans op regen morgen?"])
def test_a_word_that_begins_like_a_command_is_no_command(text: str) -> None:
    reading = understand_sentence(text)
    assert not (reading.sure and reading.meaning in ("stop", "chance"))


@given(st.text(max_size=300), st.sampled_from(list(Language)))
def test_anything_can_be_read_and_the_content_is_in_the_persons_own_words(text: str, language: Language) -> None:
    reading = read(text, language)
    assert reading.meaning in MEANINGS
    assert reading.rest in text
    assert 0 <= reading.score <= 1


def _compare_languages(text: str) -> None:
    """Assert that a sentence is read as when it is read to the end in both languages."""
    readings = [read(text, language) for language in Language]
    assert understand_sentence(text) == max(readings, key=lambda one: (one.meaning == CRISIS, one.sure, one.score))


SAID = [row["text"] for language in Language for row in corpus(CORPORA / f"understanding_{language.value}.jsonl")]
SAID_BESIDE = [sentence for language in Language for _, sentence in read_examples(language)]


def test_a_sentence_is_read_in_the_language_in_which_it_makes_more_sense() -> None:
    for text in (*SAID, *SAID_BESIDE[::7]):
        _compare_languages(text)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*SAID, *SAID_BESIDE]).map(lambda said: " ".join(said.split()[:7])),
            st.sampled_from([" ", ". ", ": ", "? "]),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_whatever_stands_together_is_read_in_that_language_too(parts: list[tuple[str, str]]) -> None:
    _compare_languages("".join(f"{said}{mark}" for said, mark in parts))


def _new_commands(language: Language) -> list[tuple[str, str]]:
    lines = (CORPORA / f"new_commands_{language.value}.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.partition(": ") for line in lines if not line.startswith("#"))
    return [(meaning, sentence) for meaning, _, sentence in rows]


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_sentences_for_later_commands_are_understood_or_asked_about(language: Language) -> None:
    meant = [(meaning, read(one, language)) for meaning, one in _new_commands(language) if meaning != "-"]
    assert {meaning for meaning, _ in meant} == {*SHOWN_MEANINGS, "board", "search", "calendar", "year"}
    sure = [reading.sure and reading.meaning == meaning for meaning, reading in meant]
    asked = [meaning in (reading.meaning, *reading.others) for meaning, reading in meant]
    assert sum(sure) / len(meant) >= 0.75
    assert sum(asked) / len(meant) >= 0.95
    assert [reading for meaning, reading in meant if reading.sure and reading.meaning != meaning] == []


@pytest.mark.parametrize(
    ("meaning", "text"),
    [
        ("changes", "wie heeft wat veranderd de laatste tijd"),
        ("significant", "laten we samen een verhaal kiezen dat er echt toe doet"),
        ("door", "mijn moeder wil ook een verhaal kwijt maar ze heeft geen slack, kan dat?"),
        ("effect", "helpt het eigenlijk wat we doen"),
        ("changes", "who changed what lately"),
        ("significant", "which story mattered most this quarter"),
    ],
)
def test_what_words_by_themselves_point_to_is_asked_about(meaning: str, text: str) -> None:
    reading = understand_sentence(text)
    assert not reading.sure
    assert meaning in (reading.meaning, *reading.others)[:2]


@pytest.mark.parametrize(
    ("language", "text", "rest"),
    [
        (Language.NL, "ik zit vast: de nachtdienst hoort alles als laatste", "de nachtdienst hoort alles als laatste"),
        (Language.NL, "weet iemand raad: de leidinggevende heeft de ruimte ingepikt", ""),
        (Language.EN, "I am stuck: the night shift hears it last", "the night shift hears it last"),
    ],
)
def test_what_stands_before_a_colon_says_what_follows(language: Language, text: str, rest: str) -> None:
    found = read(text, language)
    assert (found.meaning, found.sure) == ("stuck", True)
    assert found.rest.endswith(rest)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("ik zit vast: ik wil niet meer leven", "crisis"),
        ("Drie weken lang 's ochtends dezelfde vraag: wat wil jij vandaag? Het wordt gewoon.", ""),
    ],
)
def test_a_colon_makes_nothing_sure_that_is_dangerous_or_told(text: str, meaning: str) -> None:
    found = read(text, Language.NL)
    assert found.meaning == meaning if meaning else not found.sure


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_a_story_or_being_stuck_is_never_surely_a_later_command(language: Language) -> None:
    told = [one for meaning, one in _new_commands(language) if meaning == "-"]
    rows = corpus(CORPORA / f"understanding_{language.value}.jsonl")
    told += [row["text"] for row in rows if not SHOWN_MEANINGS & {row["intent"], *row["also"]}]
    told += [one for meaning, one in read_examples(language) if meaning not in SHOWN_MEANINGS]
    read_wrongly = {
        one: reading for one in told if (reading := read(one, language)).sure and reading.meaning in SHOWN_MEANINGS
    }
    assert read_wrongly == {}


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_later_commands_change_nothing_in_what_words_say_of_others(language: Language) -> None:
    book = phrase_book(language)
    likely = book.bayes.probabilities([token.word for token in tokenize("ik wil alles meenemen", book.spellings)])
    assert not SHOWN_MEANINGS & likely.keys()


class TestTheCommand:
    def test_says_how_a_sentence_is_read(self) -> None:
        said = CliRunner().invoke(ritme, ["understand", "ik zit vast met de overdracht", "--lang", "nl"])
        assert said.stdout.splitlines()[:2] == ["stuck (sure)", "content: de overdracht"]

    def test_reads_and_answers_lines_of_json(self) -> None:
        line = json.dumps({"id": "7", "lang": "en", "text": "I am stuck with the family"})
        said = CliRunner().invoke(ritme, ["understand", "--jsonl"], input=f"{line}\n\n")
        assert json.loads(said.stdout) == {"id": "7", "intent": "stuck", "rest": "the family", "sure": True}

    @pytest.mark.parametrize("line", ["no json", "[]", '{"id": 1}', '{"id": 1, "lang": "fr", "text": "bonjour"}'])
    def test_says_which_line_it_cannot_read(self, line: str) -> None:
        good = json.dumps({"id": "1", "lang": "nl", "text": "hoi"})
        said = CliRunner().invoke(ritme, ["understand", "--jsonl"], input=f"{good}\n{line}\n")
        assert (said.exit_code, "Line 2 is not like" in said.stderr) == (2, True)

    def test_without_a_sentence_asks_for_one(self) -> None:
        said = CliRunner().invoke(ritme, ["understand"])
        assert (said.exit_code, "Give a sentence" in said.stderr) == (2, True)


def test_no_word_of_command_stands_for_two_things() -> None:
    words = {(word, name) for name, one in COMMANDS.items() for lang in Language for word in one.words(lang)}
    assert len({word for word, _ in words}) == len(words)


def test_of_a_long_message_no_word_of_the_content_is_lost() -> None:
    words = " ".join(f"woord{number}" for number in range(300))
    reading = read(f"ik zit vast met {words}", Language.NL)
    assert (reading.meaning, reading.rest) == ("stuck", words)


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_the_quick_look_for_despair_finds_all_that_reading_finds(language: Language) -> None:
    sentences = {sentence for _, sentence in read_examples(language)}
    sentences |= {row["text"] for row in corpus(CORPORA / f"understanding_{language.value}.jsonl")}
    whole = {sentence: understand_sentence(sentence) for sentence in sentences}
    told = {sentence: reading for sentence, reading in whole.items() if reading.meaning == CRISIS}
    assert told
    assert {one: read for one in sentences if (read := read_for_despair(one)) is not None} == told
