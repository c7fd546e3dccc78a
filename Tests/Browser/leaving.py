"""The last chapter: who is removed or signs out, and what must not be left behind."""

import urllib.parse

from selenium.webdriver.common.keys import Keys

from invitation import address, colleagues_link
from story import expect, step


@step("a link that the operator made is said on every view, with the instruction, and an administrator revokes it")
def instructed(story):
    story.moderator.reloads()
    story.moderator.sees("#operator-notice", "Whoever runs the service has made a sign-in link")
    row = story.moderator.sees("#operator-codes li", "Eva Ek")
    expect("Ärende 2026/18" in row.text, "the instruction is told")
    story.moderator.sees("#codes li", "On your instruction: Ärende 2026/18")
    story.moderator.photographs("operator-code")
    story.moderator.presses("Revoke", within=("#operator-codes li", "Eva Ek"))
    story.moderator.sees_no("#operator-notice")
    expect("Revoked" in story.moderator.sees("#codes li", "Eva Ek").text, "what became of it is on record")
    story.moderator.sees("#codes li", "Made by whoever runs the service")


@step("an administrator adds another and makes a link for them, which is shown once")
def let_in(story):
    story.moderator.types("Name", "Ida Ek")
    story.moderator.types("E-mail address", "bo@example.se")
    story.moderator.forgiven.append(("/v1/organisations/[^/]+/administrators", 409))
    story.moderator.presses("Add")
    story.moderator.sees("#administrators-error", "The address already belongs to an administrator.")
    story.moderator.types("E-mail address", "ida@example.se")
    story.moderator.presses("Add")
    story.moderator.sees("#administrators li", "ida@example.se")
    story.moderator.presses("Sign-in link", within=("#administrators li", "Ida Ek"))
    story.moderator.sees("dialog", "Link for Ida Ek")
    made = story.moderator.script("return document.querySelector('#new-link').value")
    expect(made.startswith(f"{address}/admin#code="), f"the link is one: {made}")
    story.moderator.photographs("link-dialog")
    story.moderator.presses("Close", within="dialog")
    story.moderator.sees_no("dialog")
    left = story.moderator.script("return document.querySelector('#new-link').value")
    expect(left == "", "the page does not keep the link")
    row = story.moderator.sees("#codes li", "Ida Ek")
    expect("Made by Anna Exempel" in row.text and "Works" in row.text, f"it is on record: {row.text}")
    for name in ("Ida Ek", "Eva Ek"):
        story.moderator.presses("Remove", within=("#administrators li", name))
        story.moderator.presses("Remove", within="dialog")
        story.moderator.sees_no("#administrators li", name)


@step("an administrator removes another, who is asked about by name; nothing happens before it is confirmed")
def remove(story):
    colleague = story.latecomer
    colleague.opens(colleagues_link)
    colleague.sees("#who", "Bo Ek, Exempelredaktionen")
    # A session that he follows live.
    colleague.types("Title", "Ett samtal till")
    colleague.presses("Create")
    colleague.sees("h1", "Ett samtal till", exact=True)
    story.moderator.reloads()
    story.moderator.sees("#administrators li", "Anna Exempel")
    row = story.moderator.sees("#administrators li", "bo@example.se")
    expect("Bo Ek" in row.text and "You" not in row.text, "the colleague is shown by name and address")
    expect("You" in story.moderator.sees("#administrators li", "Anna Exempel").text, "one sees which is oneself")
    story.moderator.presses("Remove", within=("#administrators li", "Anna Exempel"))
    story.moderator.sees("dialog", "This is you.")
    story.moderator.presses("Cancel", within="dialog")
    story.moderator.sees_no("dialog")
    story.moderator.presses("Remove", within=("#administrators li", "Bo Ek"))
    story.moderator.sees("dialog", "Remove Bo Ek?")
    story.moderator.sees("dialog", "Bo Ek (bo@example.se) is signed out everywhere at once")
    story.moderator.sees_no("dialog", "This is you.")
    expect(story.moderator.focused() == "Cancel", f"a careless Enter removes nobody, not {story.moderator.focused()}")
    story.moderator.photographs("remove-dialog")
    story.moderator.keys(Keys.ENTER)
    story.moderator.sees_no("dialog")
    story.moderator.sees("#administrators li", "Bo Ek")
    colleague.sees("h1", "Ett samtal till", exact=True)


@step("within seconds whoever was removed is signed out, without touching the page; the last one can't be removed")
def removed(story):
    colleague = story.latecomer
    colleague.forgiven += [
        ("/v1/sessions/[^/]+/events\\?audience=MODERATORS&after=[0-9a-f-]*", 401), ("/v1/tokens:refresh", 401),
    ]
    story.moderator.presses("Remove", within=("#administrators li", "Bo Ek"))
    story.moderator.presses("Remove", within="dialog")
    story.moderator.sees_no("#administrators li", "Bo Ek")
    story.moderator.sees("#administrators-alone", "The only administrator can't be removed.")
    story.moderator.sees_no("#administrators .danger")
    story.moderator.photographs("administrators")
    colleague.sees("h1", "Sign in", exact=True)
    colleague.sees("[role=alert]", "You are signed out.")
    for word in ("Bo Ek", "bo@example.se", "Ett samtal till"):
        held = colleague.script("return document.documentElement.outerHTML.includes(arguments[0])", word)
        expect(not held, f"the page holds nothing of {word!r}")
    colleague.reloads()
    colleague.sees("h1", "Sign in", exact=True)


@step("signing out forgets the administrator")
def sign_out(story):
    story.moderator.presses("Sign out")
    story.moderator.sees("h1", "Sign in", exact=True)
    story.moderator.reloads()
    story.moderator.sees("h1", "Sign in", exact=True)
    expect(story.moderator.script("return sessionStorage.getItem('samtal-refresh')") is None, "no token is left")


@step("the first page leads to the administration")
def home(story):
    story.latecomer.opens(address)
    story.latecomer.sees("h1", "Questions and answers, live")
    story.latecomer.photographs("home")
    story.latecomer.presses("Go to administration")
    story.latecomer.sees("h1", "Sign in", exact=True)


@step("no console error, no breach of the content policy, no request to anybody else, no cookie")
def clean(story):
    own = urllib.parse.urlsplit(address).netloc
    for person in story.people:
        complaints = person.complaints()
        expect(not complaints, f"{person.name}'s console: {complaints}")
        addresses, setting = person.traffic()
        expect(len(addresses) > 10, f"{person.name}'s requests were watched")
        strangers = [
            url for url in addresses
            if urllib.parse.urlsplit(url.removeprefix("blob:")).netloc != own
        ]
        expect(not strangers, f"{person.name}'s browser asked others: {strangers}")
        expect(not setting and not person.cookies(), f"{person.name} has no cookie")
        expect(person.script("return localStorage.length") == 0, f"{person.name}'s browser keeps nothing for longer")
