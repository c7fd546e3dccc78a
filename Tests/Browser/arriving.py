"""The first chapter: who signs in, what goes astray, and what is said before the first question."""

from invitation import address, code, link
from story import expect, step, title


@step("the one-time link signs the administrator in, and its code is gone from the address and the history")
def sign_in(story):
    story.moderator.opens(link)
    story.moderator.sees("h1", "Sessions", exact=True)
    story.moderator.sees("#who", "Anna Exempel, Exempelredaktionen")
    expect(story.moderator.driver.current_url == f"{address}/admin", "the address holds no code")
    expect(not any(code in entry for entry in story.moderator.history()), "the history holds no code")
    story.moderator.sees("#policy", "DPA-1")
    story.moderator.reloads()
    story.moderator.sees("#who", "Anna Exempel, Exempelredaktionen")


@step("the code signs nobody in a second time")
def code_used(story):
    story.latecomer.forgiven.append(("/v1/sign-in", 401))
    story.latecomer.opens(link)
    story.latecomer.sees("[role=alert]", "The code is unknown, used already or too old.")
    story.latecomer.sees("h1", "Sign in", exact=True)
    story.latecomer.sees_no("#who", "Anna")
    expect(code not in story.latecomer.driver.current_url, "the address holds no code")
    story.latecomer.photographs("signin")


@step("whoever goes astray sees a page in their language, and a slash too many leads to the page")
def astray(story):
    story.latecomer.forgiven.append(("/Anna-Exempel", 404))
    story.latecomer.opens(f"{address}/Anna-Exempel")
    story.latecomer.sees("h1", "There is no such page", exact=True)
    expect("Anna" not in story.latecomer.page(), "the page repeats nothing of the address")
    font = story.latecomer.script("return getComputedStyle(document.querySelector('h1')).fontFamily")
    expect("system-ui" in font, "the page has the site's look")
    story.latecomer.photographs("astray")
    story.latecomer.opens(f"{address}/admin/?x=y")
    story.latecomer.sees("h1", "Sign in", exact=True)
    expect(story.latecomer.driver.current_url == f"{address}/admin?x=y", "the address has no slash too many")


@step("the administrator creates a session")
def create(story):
    story.moderator.types("Title", title)
    story.moderator.presses("Create")
    story.moderator.sees("h1", title, exact=True)
    story.moderator.sees(".badge", "Not open yet")
    shared = story.moderator.script("return document.querySelector('#link').value")
    story.id = shared.rpartition("/s/")[2]
    expect(shared == f"{address}/s/{story.id}" and story.id, "the link to share is this session's")
    story.moderator.sees("#facts code", story.id, exact=True)


@step("a participant waits for the opening, and sees it without reloading")
def opening(story):
    story.participant.opens(f"{address}/s/{story.id}")
    story.participant.sees("h1", title, exact=True)
    story.participant.sees("#notice", "Samtalet är inte öppnat än.")
    story.stays(story.participant)
    story.moderator.photographs("draft")
    story.moderator.presses("Open")
    story.moderator.sees(".badge", "Live", exact=True)
    story.participant.sees(".badge", "Pågår", exact=True)
    story.participant.sees_no("#notice")
    story.stayed(story.participant)


@step("before the first question it is said who is responsible, what becomes public, until when, and whom to write to")
def informed(story):
    person = story.participant
    notice = person.sees("#privacy", "Personuppgiftsansvarig är Exempelredaktionen")
    for words in ("Du behöver inget namn.", "Om den publiceras kan alla läsa den",
                  "Allt raderas 30 dagar efter att samtalet avslutats, och senast en kalendermånad efter slutet."):
        expect(words in notice.text, f"the notice says {words}")
    above = "return arguments[0].getBoundingClientRect().bottom <= document.querySelector('#join').getBoundingClientRect().top"
    expect(person.script(above, notice), "it is read before one joins")
    person.presses("Läs mer", within="#privacy")
    person.sees("#privacy", "Skriv till Exempelredaktionen om du vill veta")
    person.sees("#privacy", "Sverige (se-stockholm-1), enligt vad den som driver tjänsten har uppgett")
    link = person.sees("#privacy a", "hjalp@example.se")
    expect(link.get_attribute("href") == "mailto:hjalp@example.se", "support is one press away")
    with person.in_a_window(320):
        wide = person.script("return document.documentElement.scrollWidth")
        expect(wide <= 320, f"the page fits a narrow window, with {wide} pixels")
    person.photographs("informed")
    person.presses("Läs mer", within="#privacy")


@step("the administrator reads where data is kept, as declared, and whom to write to about the agreement")
def declared(story):
    link = story.latecomer.visible("footer a", "hjalp@example.se")
    expect(link, "whom to write to is on the page for signing in")
    story.moderator.sees("footer", "Data is kept in Sweden (se-stockholm-1), as declared by whoever runs the service.")
    contact = story.moderator.script("return document.querySelector('.contact a').href")
    expect(contact == "mailto:avtal@example.se", f"the contact is named, and not {contact}")
