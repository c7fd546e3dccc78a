"""A program that looks at pages: it gives up by itself, says what it saw or what went wrong, and ends its browsers."""

import signal
import sys
import traceback

from story import expect


def run(seconds, look):
    """Ends the process with 0 if `look(people)` went well; it adds every Person to the list that it gets.

    Nothing may have complained in any of their consoles either.
    """
    def late(*_):
        raise TimeoutError("it took too long")

    signal.signal(signal.SIGALRM, late)
    signal.signal(signal.SIGTERM, late)
    signal.alarm(seconds)
    people = []
    try:
        look(people)
        for person in people:
            complaints = person.complaints()
            expect(not complaints, f"{person.name}'s console: {complaints}")
        print("all of it was seen")
        status = 0
    except Exception:
        traceback.print_exc(file=sys.stdout)
        for person in people:
            print(f"{person.name}'s console: {person.complaints()}")
        status = 1
    finally:
        signal.alarm(0)
        for person in people:
            person.leave()
    sys.exit(status)
