"""A person at a browser: a Chromium with a profile of its own, acting and looking as people do, by labels and texts.

Nothing here waits for a fixed time. Chromium reaches no address but this machine's, and everything that it writes lies
in one folder, which whoever started this removes.
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import time

from selenium import webdriver
from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service

patience = 20  # seconds that a condition may take on a busy machine

# The visible elements that match, with the text that they show.
_visible = """
const [css, text, exact] = arguments;
return [...document.querySelectorAll(css)].filter((element) => {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
    const shown = element.innerText.trim();
    return exact ? shown === text : shown.includes(text);
});
"""


class Unseen(AssertionError):
    """What should have been seen was not."""


def eventually(what, condition):
    """Waits for a condition that holds, and returns what it gave."""
    end = time.monotonic() + patience
    while True:
        try:
            found = condition()
        except (StaleElementReferenceException, ElementNotInteractableException):
            found = None  # the page has just put another element in its place
        if found:
            return found
        if time.monotonic() > end:
            raise Unseen(f"not within {patience} s: {what() if callable(what) else what}")
        time.sleep(0.03)


class Person:
    def __init__(self, name, language, folder):
        self.name = name
        self.forgiven = []  # (path, status) of answers that the story itself asks for
        self.downloads = folder / name / "downloads"
        self.downloads.mkdir(parents=True)
        browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
        if not browser or not driver:
            raise SystemExit("no chromium or chromedriver: apt-get install chromium chromium-driver")
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for argument in (
            "--headless=new", f"--user-data-dir={folder / name / 'profile'}", "--window-size=1200,900",
            "--hide-scrollbars", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-extensions", "--no-proxy-server",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ):
            options.add_argument(argument)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium has no sandbox for root
        options.add_experimental_option("prefs", {
            "intl.accept_languages": language, "download.default_directory": str(self.downloads),
        })
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        home = {"HOME": str(folder / name), "TMPDIR": str(folder / name)}
        self._service = Service(executable_path=driver, env={**os.environ, **home})
        self.driver = webdriver.Chrome(options=options, service=self._service)
        self._process = self.driver.capabilities.get("goog:processID")
        self.driver.set_page_load_timeout(patience)
        self.driver.set_script_timeout(patience)
        self.driver.get("about:blank")
        for log in ("browser", "performance"):
            self.driver.get_log(log)  # what Chromium's own first page did

    def leave(self):
        """Ends the browser and its driver: asked to, and by their ids if that was not enough."""
        driver = getattr(self._service.process, "pid", None)
        try:
            self.driver.quit()
        finally:
            end = time.monotonic() + 5
            for process in filter(None, (self._process, driver)):
                while _lives(process) and time.monotonic() < end:
                    time.sleep(0.03)
                if _lives(process):
                    os.kill(process, signal.SIGKILL)

    # Looking

    def visible(self, css, text="", exact=False):
        return self.driver.execute_script(_visible, css, text, exact)

    def sees(self, css, text="", exact=False):
        """Waits until an element shows the text, and returns it."""
        return eventually(
            lambda: f"{self.name} sees {text!r} in {css}; the page shows: {self.page()!r}",
            lambda: self.visible(css, text, exact))[0]

    def sees_no(self, css, text=""):
        """Waits until no visible element shows the text."""
        eventually(
            lambda: f"{self.name} sees no {text!r} in {css}; the page shows: {self.page()!r}",
            lambda: not self.visible(css, text))

    def page(self):
        return self.driver.execute_script("return document.body.innerText")

    def script(self, source, *arguments):
        return self.driver.execute_script(source, *arguments)

    def focused(self):
        return self.script("return document.activeElement.id || document.activeElement.innerText")

    # Acting

    def opens(self, address):
        self.driver.get(address)

    def reloads(self):
        self.driver.refresh()

    def presses(self, text, within="body"):
        """Clicks the button or link with this text; `within` is CSS, or (CSS, text) of what is around it."""
        css, around = within if isinstance(within, tuple) else (within, "")

        def press():
            for outer in self.visible(css, around):
                for element in outer.find_elements("css selector", "button, a, summary"):
                    if element.text.strip() == text and element.is_enabled():
                        element.click()
                        return True
            return False

        eventually(lambda: f"{self.name} presses {text!r} in {within}; the page shows: {self.page()!r}", press)

    def types(self, label, text, within="body"):
        """Writes into the field with this label, in place of what it held."""
        field = eventually(
            lambda: f"{self.name} finds a field {label!r} in {within}",
            lambda: [
                found for found in self.visible(f"{within} label", label, True)
                if self.script("return arguments[0].control?.checkVisibility()", found)
            ])[0]
        control = self.script("return arguments[0].control", field)
        control.clear()
        control.send_keys(text)

    def keys(self, *keys):
        """Uses the keyboard alone, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def downloaded(self, pattern):
        """Waits for a download that is whole."""
        return eventually(f"{self.name} has downloaded {pattern}", lambda: list(self.downloads.glob(pattern)))[0]

    def photographs(self, name, whole=True):
        """Keeps the page as it looks narrow and wide, light and dark, if SAMTAL_SCREENSHOTS names a folder; of a page
        that is too long for one picture only the part that is in the window."""
        folder = os.environ.get("SAMTAL_SCREENSHOTS")
        if not folder:
            return
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        command = self.driver.execute_cdp_cmd
        for scheme in ("light", "dark"):
            features = [{"name": "prefers-color-scheme", "value": scheme},
                        {"name": "prefers-reduced-motion", "value": "reduce"}]
            command("Emulation.setEmulatedMedia", {"features": features})
            for width in (400, 1200):
                size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
                command("Emulation.setDeviceMetricsOverride", size)
                taken = command("Page.captureScreenshot", {"captureBeyondViewport": whole})
                path = pathlib.Path(folder) / f"{name}-{width}-{scheme}.png"
                path.write_bytes(base64.b64decode(taken["data"]))
        command("Emulation.clearDeviceMetricsOverride", {})
        command("Emulation.setEmulatedMedia", {"features": []})

    @contextlib.contextmanager
    def in_a_window(self, width):
        """As in a window of that many pixels."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        yield
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    # What is not on the page

    def cookies(self):
        return self.driver.execute_cdp_cmd("Storage.getCookies", {})["cookies"]

    def history(self):
        entries = self.driver.execute_cdp_cmd("Page.getNavigationHistory", {})["entries"]
        return [entry["url"] for entry in entries]

    def complaints(self):
        """What the console says, and so also every breach of the content security policy, but for what is forgiven."""
        found = []
        for entry in self.driver.get_log("browser"):
            answer = re.match(r"(\S+) - Failed to load resource: .* status of (\d+)", entry["message"])
            if answer and any(
                re.fullmatch(rf"http://[^/]+{path}", answer[1]) and status == int(answer[2])
                for path, status in self.forgiven
            ):
                continue
            found.append(f"{entry['level']}: {entry['message']}")
        return found

    def traffic(self):
        """The addresses that were asked for, and the names of the headers that tried to set a cookie."""
        addresses, headers = [], []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                parameters = message["params"]
                addresses.append(parameters.get("request", parameters)["url"])
            elif message["method"] == "Network.responseReceivedExtraInfo":
                headers += [name for name in message["params"]["headers"] if name.lower() == "set-cookie"]
        return addresses, headers


def _lives(process):
    try:
        state = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
