"""The second chapter: what is asked, moderated and answered, and read in two languages."""

from selenium.webdriver.common.keys import Keys

from browser import eventually
from invitation import address
from story import answer, asked, expect, keyboard, markup, name, step, unwanted


@step("the participant joins under a name and asks; the question is shown as waiting")
def ask(story):
    story.participant.presses("Gå med under namnet")
    story.participant.sees("[role=alert]", "Skriv ett namn")
    story.participant.photographs("join")
    story.participant.types("Namn", name)
    story.participant.presses("Gå med under namnet")
    story.participant.sees("#ask", f"Du frågar som {name}")
    story.stays(story.moderator)
    story.participant.types("Din fråga", asked)
    story.participant.presses("Skicka frågan")
    card = story.participant.sees("#own li", asked)
    expect("Väntar på en moderator" in card.text, "the question is shown as waiting")
    story.participant.sees("#empty", "Inga frågor är publicerade än.")


@step("the moderator sees the question live, publishes and answers it")
def moderate(story):
    card = story.moderator.sees("#pending li", asked)
    expect(name in card.text, "the name is shown as it was typed")
    story.stayed(story.moderator)
    story.moderator.photographs("pending")
    story.moderator.presses("Publish", within=("#pending li", asked))
    story.moderator.sees("#published li", asked)
    story.moderator.sees_no("#pending li")
    story.participant.sees("#questions li", asked)
    story.participant.sees_no("#own li")
    story.moderator.presses("Answer", within=("#published li", asked))
    expect(story.moderator.focused().startswith("text-"), "the form for the answer has the focus")
    story.moderator.types("Answer", answer, within="#published")
    story.moderator.types("Answered by", "Elin Exempel", within="#published")
    story.moderator.presses("Publish the answer")
    story.moderator.sees("#published li .answer", answer)


@step("the participant sees the answer live")
def answered(story):
    shown = story.participant.sees("#questions li .answer", answer)
    expect("Svar från Elin Exempel" in shown.text, "the answer says who gave it")
    story.participant.sees("#questions li .badge", "Din fråga", exact=True)
    story.stayed(story.participant)


@step("somebody who joins later, anonymously and by keyboard alone, sees it too and asks")
def keyboard_only(story):
    person = story.latecomer
    person.opens(f"{address}/s/{story.id}")
    person.sees("#questions li .answer", answer)
    person.keys(Keys.TAB)
    expect(person.focused() == "Skip to the content", f"the first stop skips the header, not {person.focused()}")
    person.keys(Keys.ENTER)
    eventually("the content has the focus", lambda: person.focused() == "content")
    person.keys(Keys.TAB)
    expect(person.focused() == "Read more", f"the next stop is the notice, not {person.focused()}")
    person.keys(Keys.ENTER)
    person.sees("#privacy", "Write to Exempelredaktionen to learn on which legal basis")
    person.sees("#privacy", "You may complain to the data protection authority")
    person.keys(Keys.ENTER)
    person.sees_no("#privacy", "You may complain")
    for stop in ("name", "Join with this name", "join-anonymous"):
        person.keys(Keys.TAB)
        expect(person.focused() == stop, f"the next stop is {stop}, not {person.focused()}")
    person.keys(Keys.ENTER)
    person.sees("#ask", "You are asking anonymously")
    eventually("the field for the question has the focus", lambda: person.focused() == "text")
    ring = person.script("return getComputedStyle(document.activeElement).outlineStyle")
    expect(ring == "solid", "the focus can be seen")
    person.keys(keyboard)
    person.photographs("ask")
    person.keys(Keys.TAB, Keys.ENTER)
    card = person.sees("#own li", keyboard)
    expect("Anonymous" in card.text and "Waiting for a moderator" in card.text, "asked anonymously, and waiting")
    eventually("the field is ready for another question", lambda: person.focused() == "text")
    story.moderator.sees("#pending li", keyboard)


@step("markup that somebody types is shown as text, everywhere")
def markup_is_text(story):
    story.stays(story.latecomer)
    story.participant.types("Din fråga", markup)
    story.participant.presses("Skicka frågan")
    story.participant.sees("#own li .question-text", markup, exact=True)
    story.moderator.sees("#pending li .question-text", markup, exact=True)
    story.moderator.presses("Publish", within=("#pending li", markup))
    for person, list_ in (
        (story.moderator, "#published"), (story.participant, "#questions"), (story.latecomer, "#questions"),
    ):
        person.sees(f"{list_} li .question-text", markup, exact=True)
        found = person.script("return document.querySelectorAll('main img, main script, main b, main i').length")
        expect(found == 0, f"{person.name}'s page has no element of somebody's making")
        expect(person.script("return window.breached === undefined"), f"no such script ran for {person.name}")
    story.stayed(story.latecomer)


@step("a question that is rejected reaches no public list")
def reject(story):
    story.participant.types("Din fråga", unwanted)
    story.participant.presses("Skicka frågan")
    story.moderator.sees("#pending li", unwanted)
    story.moderator.presses("Reject", within=("#pending li", unwanted))
    story.moderator.sees_no("#pending li", unwanted)
    story.moderator.presses("Rejected", within="details")
    story.moderator.sees("#rejected li", unwanted)
    card = story.participant.sees("#own li", unwanted)
    eventually("who asked it reads so, without reloading", lambda: "Publiceras inte" in card.text)
    story.moderator.photographs("moderation")
    # What is published after it comes after it in the feed.
    story.moderator.presses("Publish", within=("#pending li", keyboard))
    for person in (story.participant, story.latecomer):
        person.sees("#questions li", keyboard)
        person.sees_no("#questions li", unwanted)
    story.latecomer.sees_no("main", unwanted)


@step("a reload keeps who one is; the participant reads that the rejected question will not be published")
def reload(story):
    story.participant.reloads()
    story.participant.sees("#ask", f"Du frågar som {name}")
    story.participant.sees("#questions li", keyboard)
    story.participant.sees_no("#questions li", unwanted)
    card = story.participant.sees("#own li", unwanted)
    expect("Publiceras inte" in card.text, "the rejected question is shown as such to who asked it")
    expect(len(story.participant.visible("#questions .badge", "Din fråga")) == 2, "one's own are marked")
    story.participant.photographs("participant")


@step("Swedish and English are one press apart, and the choice is kept")
def language(story):
    def speaks(tag, *texts):
        for text in texts:
            story.participant.sees("main", text)
        expect(story.participant.script("return document.documentElement.lang") == tag, f"the page says {tag}")

    speaks("sv", "Ställ en fråga", "Svar från Elin Exempel", "Pågår")
    story.participant.presses("In English")
    speaks("en", "Ask a question", "Answer from Elin Exempel", "Live", f"You are asking as {name}")
    story.participant.sees_no("main", "Ställ en fråga")
    story.participant.reloads()
    speaks("en", "Ask a question", "Published questions")
    story.participant.sees("#privacy", "Everything is erased 30 days after the session has ended")
    story.moderator.presses("På svenska")
    story.moderator.sees("main", "Styr samtalet")
    story.moderator.presses("In English")
    story.moderator.sees("main", "Run the session")
