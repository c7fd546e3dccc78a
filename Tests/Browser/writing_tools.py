"""The clipboard and the keyboard, for what people paste."""

from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys


def copies(person, text):
    person.script(
        "const field = document.createElement('textarea'); field.id = 'copied'; field.value = arguments[0];"
        "document.querySelector('main').append(field); field.focus(); field.select();", text)
    chord(person, "c")
    person.script("document.querySelector('#copied').remove()")


def chord(person, key):
    ActionChains(person.driver).key_down(Keys.CONTROL).send_keys(key).key_up(Keys.CONTROL).perform()
