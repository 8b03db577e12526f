"""The page of serve.py in a browser, as somebody uses it."""

from selenium.webdriver.support.ui import Select, WebDriverWait

SECONDS = 30


class Page:
    """The page, as somebody uses it."""

    def __init__(self, driver, address):
        self.driver = driver
        self.address = address
        driver.get_log("browser")  # forgets what other pages have logged
        driver.get(address)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        (found,) = self.all(selector)
        return found

    def until(self, holds):
        return WebDriverWait(self.driver, SECONDS, 0.02).until(holds)

    def wait_for(self, selector):
        return self.until(lambda _: self.all(selector))

    def choose(self, name, selector="#model"):
        Select(self.one(selector)).select_by_visible_text(name)

    def fill(self, **texts):
        for name, text in texts.items():
            if isinstance(text, list):
                text = "\n\n".join(text)
            # Keys of chromedriver have no emoji.
            self.driver.execute_script(
                "arguments[0].value = arguments[1];"
                "arguments[0].dispatchEvent(new Event('input'))",
                self.one(f"#field-{name}"),
                text,
            )

    def press(self, *keys):
        """Presses keys where the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def ask(self):
        self.one("#ask").click()
        return self.said()

    def said(self):
        """Returns what is said, once it is no more waited for."""

        def there(_):
            text = self.one("#said").text
            return "" if text.endswith(" …") else text

        return self.until(there)

    def rows(self):
        return [
            tuple(
                row.text
                for row in line.find_elements("css selector", "th, .number")
            )
            for line in self.all("#answer tr")
        ]

    def marks(self):
        script = (
            "return [...document.querySelectorAll('mark')].map("
            "mark => [...mark.childNodes].map(node => node.textContent))"
        )
        return [tuple(parts) for parts in self.driver.execute_script(script)]
