"""What people write, in both directions, with more marks than a line is high, without spaces, pasted from elsewhere.

Usage: writing.py ADDRESS LINK FOLDER SESSION. The session is open, and its title is written from right to left.
"""

import pathlib
import sys
import unicodedata

import program
from browser import Person, eventually
from story import expect
from writing_tools import chord, copies

address, link, folder, session = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]).resolve(), sys.argv[4]

arabic_name = "كيم مثال"
hebrew = "האם אפשר לשאול שאלה בעברית?"
arabic_answer = "نعم، بالتأكيد."
two_directions = "מה המחיר?\nOch vad blir priset?"
marked = unicodedata.normalize("NFC", "Z" + "\u0301\u0323\u0308" * 10 + "algo")
endless = "Donaudampfschiff" * 124

# How far each line of an element's text is from the left and the right edge of its box.
_lines = """
const [element] = arguments;
const range = document.createRange();
range.selectNodeContents(element);
const box = element.getBoundingClientRect();
const lines = new Map();
for (const { left, right, top } of range.getClientRects()) {
    if (right - left < 1) continue;
    const line = lines.get(Math.round(top)) ?? [Infinity, -Infinity];
    lines.set(Math.round(top), [Math.min(line[0], left), Math.max(line[1], right)]);
}
return [...lines.entries()].sort(([one], [other]) => one - other).map(([, [left, right]]) => [left - box.left, box.right - right]);
"""

# Pairs of neighbours within a question that lie over each other.
_overlaps = """
const found = [];
for (const card of document.querySelectorAll(".feed > li")) {
    const parts = [...card.querySelectorAll("p, h1, h2, form")].filter((part) => part.checkVisibility());
    const boxes = parts.map((part) => ({ part, box: part.getBoundingClientRect(), style: getComputedStyle(part) }));
    for (const [index, { part, box, style }] of boxes.slice(1).entries()) {
        const before = boxes[index];
        if (before.part.contains(part)) continue;
        const end = before.box.bottom - parseFloat(before.style.paddingBottom);
        if (end > box.top + parseFloat(style.paddingTop) + 1) found.push(part.textContent.slice(0, 20));
    }
}
return found;
"""


def edges(person, css, text):
    return person.script(_lines, person.sees(css, text))


def is_right_to_left(person, css, text):
    for left, right in edges(person, css, text):
        expect(right <= 1 < left, f"{person.name} reads {text!r} in {css} from the right: {left}, {right}")


def both_directions(moderator, participant):
    participant.opens(f"{address}/s/{session}")
    is_right_to_left(participant, "h1#title", "سؤال")
    participant.types("Namn", arabic_name)
    expect(participant.script("return document.querySelector('#name').matches(':dir(rtl)')"), "a name is typed from the right")
    participant.presses("Gå med under namnet")
    participant.sees("#ask", f"Du frågar som {arabic_name}")
    for question in (hebrew, two_directions):
        participant.types("Din fråga", question)
        expect(participant.script("return document.querySelector('#text').matches(':dir(rtl)')"), "so is a question")
        participant.presses("Skicka frågan")
        participant.sees("#own .question-text", question)
    is_right_to_left(participant, "#own .question-text", hebrew)
    expect(participant.script("return document.querySelector('#own .meta > span').matches(':dir(rtl)')"), "so is the name read")

    moderator.script("location.hash = arguments[0]", f"session={session}")
    is_right_to_left(moderator, "#pending .question-text", hebrew)
    moderator.presses("Answer", within=("#pending li", hebrew))
    moderator.types("Answer", arabic_answer, within="#pending")
    moderator.types("Answered by", arabic_name, within="#pending")
    expect(moderator.script("return document.activeElement.matches(':dir(rtl)')"), "so is an answer typed")
    moderator.presses("Publish the answer")
    is_right_to_left(participant, "#questions .question-text", hebrew)
    is_right_to_left(participant, "#questions .answer > p:first-child", arabic_answer)
    participant.sees("#questions .answer .meta", f"Svar från {arabic_name}")

    first, second = edges(participant, "#own .question-text", "Och vad blir priset?")
    expect(first[1] <= 1 < first[0] and second[0] <= 1 < second[1], f"each line has its own direction: {first}, {second}")
    for person in (moderator, participant):
        expect(not person.script("return document.body.matches(':dir(rtl)')"), "the page itself is written from the left")
        person.photographs(f"directions-{person.name}")


def too_tall_and_too_wide(moderator, participant):
    for question in (marked, endless):
        participant.script("const field = document.querySelector('#text'); field.value = arguments[0];", question)
        participant.presses("Skicka frågan")
        participant.sees("#own .question-text", question)
        moderator.sees("#pending .question-text", question)
    for person, list_ in ((participant, "#own"), (moderator, "#pending")):
        for width in (320, 480, 768, 1024, 1600):
            with person.in_a_window(width):
                wide = person.script("return document.documentElement.scrollWidth")
                expect(wide <= width, f"{person.name}'s page is {wide} wide in a window of {width}")
                eventually("nothing lies over anything", lambda: not person.script(_overlaps))
                keeps_within_its_box(person, f"{list_} li", marked, width)
        person.photographs(f"marks-{person.name}")


def keeps_within_its_box(person, css, text, width):
    """What is around a text looks the same whether it is there or not."""
    card = person.sees(css, text)
    person.script("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", card)
    place = person.script(
        "const [card] = arguments; const box = card.querySelector('.question-text').getBoundingClientRect();"
        "const whole = card.getBoundingClientRect();"
        "return [whole.left + scrollX, whole.top + scrollY - 40, whole.width, box.top - whole.top + 40,"
        " box.bottom + scrollY, whole.bottom - box.bottom]", card)
    left, top, wide, above, bottom, below = place
    around = [{"x": left, "y": top, "width": wide, "height": above}, {"x": left, "y": bottom, "width": wide, "height": below}]

    def pictures():
        return [person.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "clip": {**clip, "scale": 1}, "captureBeyondViewport": True})["data"] for clip in around]

    def hidden(value):
        person.script("arguments[0].querySelector('.question-text').style.visibility = arguments[1]", card, value)

    person.script("document.activeElement.blur()")  # a caret blinks

    def is_the_same():
        with_text = pictures()
        hidden("hidden")
        without = pictures()
        hidden("")
        return with_text == without

    # Something else may have been on the move the first time.
    eventually(f"marks stay within their own line, {width} wide", is_the_same)


def pasted(moderator, participant):
    """From an office program: VT between lines, FF before a page, and a NUL and an ESC that came along."""
    copies(participant, "Första raden\vandra raden\f\x1b[0mtredje\x00 raden")
    participant.script("document.querySelector('#text').focus()")
    participant.keys("Förut. ")
    chord(participant, "v")
    value = "return document.querySelector('#text').value"
    wanted = "Förut. Första raden\nandra raden\n[0mtredje raden"
    eventually(lambda: f"what is pasted is mended: {participant.script(value)!r}", lambda: participant.script(value) == wanted)
    chord(participant, "z")
    eventually("pasting can be undone", lambda: "andra" not in participant.script(value))
    participant.script("document.querySelector('#text').value = ''")
    chord(participant, "v")
    participant.presses("Skicka frågan")
    participant.sees("#own .question-text", wanted.removeprefix("Förut. "))
    moderator.sees("#pending .question-text", wanted.removeprefix("Förut. "))

    copies(moderator, "Elin\vExempel\x07")
    moderator.presses("Answer", within=("#pending li", "Första raden"))
    moderator.types("Answer", "Ja.", within="#pending")
    moderator.types("Answered by", "", within="#pending")
    chord(moderator, "v")
    host = "return document.activeElement.value"
    eventually(lambda: f"in one line it is a space: {moderator.script(host)!r}", lambda: moderator.script(host) == "Elin Exempel")
    moderator.presses("Publish the answer")
    participant.sees("#questions .answer .meta", "Svar från Elin Exempel")


def look(people):
    for name, language in (("moderator", "en-GB"), ("participant", "sv-SE")):
        people.append(Person(name, language, folder))
    people[0].opens(link)
    people[0].sees("h1", "Sessions", exact=True)
    for part in (both_directions, too_tall_and_too_wide, pasted):
        part(*people)
        print("seen:", part.__name__, flush=True)


program.run(150, look)
