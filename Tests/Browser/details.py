"""What people meet when something is a little out of the ordinary: a question that is too long, an early arrival, a link in
the wrong field, a held key, chat that is away.

Usage: details.py ADDRESS LINK FOLDER SESSION CHAT AWAY. LINK signs the administrator in; SESSION
is not open yet and is kept for one day; CHAT is the process of chat, which is ended;
it is started again once there is a file AWAY.
"""

import os
import pathlib
import signal
import sys

import program
from browser import Person, eventually
from story import expect
from writing_tools import chord, copies

address, link, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]).resolve()
session, chat, away = sys.argv[4], int(sys.argv[5]), pathlib.Path(sys.argv[6])

long = "Varför? " * 262 + "abcd"  # 2,100 characters


def pasted_link(moderator, participant):
    """A sign-in link in the field for the code signs in as its code would."""
    moderator.opens(f"{address}/admin")
    moderator.sees("h1", "Sign in", exact=True)
    moderator.types("One-time code", link)
    moderator.presses("Sign in")
    moderator.sees("h1", "Sessions", exact=True)
    eventually("the content has the focus", lambda: moderator.focused() == "content")


def one_day(moderator, participant):
    """One is one day, in both languages, and more are days."""
    moderator.sees("#policy", "1 day")
    moderator.sees_no("#policy", "1 days")
    moderator.presses("På svenska")
    moderator.sees("#policy", "1 dag")
    moderator.sees_no("#policy", "1 dagar")
    moderator.sees("#policy", "30 dagar")
    moderator.presses("In English")
    participant.opens(f"{address}/s/{session}")
    participant.sees("#privacy-until", "Allt raderas en dag efter att samtalet avslutats.", exact=True)


def early(moderator, participant):
    """Who joins before the opening is told when to ask, and keeps a place in the page."""
    participant.script(
        "window.heard = []; new MutationObserver(() => window.heard.push(document.querySelector('#announcer').textContent))"
        ".observe(document.querySelector('#announcer'), { childList: true });")
    participant.presses("Gå med anonymt")
    participant.sees_no("#join")
    heard = "return window.heard.includes('Du är med. Du kan ställa din fråga när samtalet öppnas.')"
    eventually("it is said when one can ask", lambda: participant.script(heard))
    eventually("the focus is in the content", lambda: participant.focused() == "content")
    moderator.script("location.hash = arguments[0]", f"session={session}")
    moderator.sees("#facts", "1 day after the end")
    moderator.presses("Open")
    moderator.sees(".badge", "Live", exact=True)
    eventually("the focus goes on to the next step", lambda: moderator.focused() == "end")
    participant.sees("#ask", "Du frågar anonymt")


def too_long(moderator, participant):
    """What is pasted stays whole; how much too long it is, is said; it is not sent before it fits."""
    field = "return document.querySelector('#text').value.length"
    copies(participant, long)
    participant.script("document.querySelector('#text').focus()")
    chord(participant, "v")
    eventually("nothing is cut", lambda: participant.script(field) == len(long))
    participant.sees("#text-excess", "100 tecken för många: högst 2 000 får plats.".replace("2 000", "2\u00a0000"), exact=True)
    participant.presses("Skicka frågan")
    eventually("the field has the focus", lambda: participant.focused() == "text")
    expect(participant.script(field) == len(long), "what was written is still there")
    participant.sees_no("#own li")
    participant.photographs("too-long")
    participant.script("document.querySelector('#text').setSelectionRange(0, 99)")
    participant.keys("\ue017")
    participant.sees("#text-excess", "1 tecken för mycket")
    participant.keys("\ue017")
    participant.sees_no("#text-excess")
    participant.presses("Skicka frågan")
    participant.sees("#own li", "Väntar på en moderator")
    eventually("the field is ready for another one", lambda: participant.focused() == "text")


def held_key(moderator, participant):
    """Enter that is held down decides one question, and not all that wait."""
    for number in range(3):
        participant.types("Din fråga", f"Fråga {number}?")
        participant.presses("Skicka frågan")
        moderator.sees("#pending li", f"Fråga {number}?")
    expect(len(moderator.visible("#pending li")) == 4, "four wait")
    moderator.script("document.querySelector('#pending li button').focus()")
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    press = moderator.driver.execute_cdp_cmd
    press("Input.dispatchKeyEvent", {"type": "keyDown", **enter})
    moderator.sees("#published li")
    eventually("the next question's button has the focus", lambda: moderator.script(
        "return document.activeElement.matches('#pending button')"))
    for _ in range(30):
        press("Input.dispatchKeyEvent", {"type": "keyDown", "autoRepeat": True, **enter})
    press("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    # What one press of a key does to the next comes after whatever those did.
    press("Input.dispatchKeyEvent", {"type": "keyDown", **enter})
    press("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    eventually("another press decides another", lambda: len(moderator.visible("#published li")) == 2)
    expect(len(moderator.visible("#pending li")) == 2, "and two still wait")


def chat_away(moderator, participant):
    """That chat is away is shown to everybody, and that it is back."""
    for person in (moderator, participant):
        person.forgiven.append(("/v1/sessions/.*", 503))
    os.kill(chat, signal.SIGTERM)
    participant.sees("#notice", "Frågor och svar går inte att nå just nu.")
    moderator.sees("#notice", "Questions and answers can't be reached right now.")
    participant.sees("#questions li", "Varför?")
    participant.photographs("away")
    participant.script("window.stayed = true")
    away.touch()
    for person in (moderator, participant):
        person.sees_no("#notice")
    expect(participant.script("return window.stayed === true"), "without reloading")
    participant.types("Din fråga", "Är ni tillbaka?")
    participant.presses("Skicka frågan")
    moderator.sees("#pending li", "Är ni tillbaka?")


def look(people):
    for name, language in (("moderator", "en-GB"), ("participant", "sv-SE")):
        people.append(Person(name, language, folder))
    for part in (pasted_link, one_day, early, too_long, held_key, chat_away):
        part(*people)
        print("seen:", part.__name__, flush=True)


program.run(150, look)
