"""The people of the story, what they write, and how the steps of pages.py are kept in order. Every text is made up."""

import concurrent.futures

from browser import Person, Unseen

title = "Fråga experten: elpriser & <b>effekttariffer</b>"
name = "Kim <i>Exempel</i>"
asked = "Hur lång är uppsägningstiden för ett fast elavtal?"
markup = 'Blir det <b>fetstil</b>? <img src=x onerror="window.breached = true"><script>window.breached = true</script>'
unwanted = "Köp billiga klockor hos oss i dag!"
keyboard = "Går det att ställa en fråga utan mus?"
answer = "Tre månader,\nom inget annat står i avtalet."

steps = []


def step(what):
    """The next thing that happens in the story."""
    def add(play):
        steps.append((what, play))
        return play
    return add


def expect(condition, what):
    if not condition:
        raise Unseen(what)


class Story:
    def __init__(self):
        self.people = []  # those whose browsers have been started

    def begin(self, folder):
        """Starts the three browsers at once."""
        def arrive(name, language):
            person = Person(name, language, folder)
            self.people.append(person)
            return person

        with concurrent.futures.ThreadPoolExecutor() as pool:
            arrivals = pool.map(arrive, ("moderator", "participant", "latecomer"), ("en-GB", "sv-SE", "en-GB"))
        self.moderator, self.participant, self.latecomer = arrivals

    def end(self):
        for person in self.people:
            person.leave()

    def stays(self, *people):
        """From here on a reload would be noticed."""
        for person in people:
            person.script("window.stayed = true")

    def stayed(self, *people):
        for person in people:
            expect(person.script("return window.stayed === true"), f"{person.name} did not have to reload")

    def holds_nothing(self, person, when):
        """Neither what is shown nor what is hidden in a page holds a text of the session."""
        held = person.script(
            "return arguments[0].filter((text) => document.documentElement.outerHTML.includes(text)"
            " || document.documentElement.textContent.includes(text))",
            [title, name, asked, markup, keyboard, unwanted, answer])
        expect(not held, f"{person.name}'s page holds nothing of the session {when}: {held}")
