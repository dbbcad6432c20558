"""A phone-sized window of headless Chromium, and a server for the page's folder."""

import functools
import http.server
import shutil
import threading

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *arguments, headers, **options):
        self.further_headers = headers
        super().__init__(*arguments, **options)

    def end_headers(self):
        for name, value in self.further_headers.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """A function from a folder to its address; `headers` go with each answer.

    The server ends with the test, or by `serve.stop()`.
    """
    servers = []

    def serve(folder, headers=()):
        handler = functools.partial(_Quiet, directory=folder, headers=dict(headers))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    def stop():
        while servers:
            server = servers.pop()
            server.shutdown()
            server.server_close()

    serve.stop = stop
    yield serve
    stop()


@pytest.fixture
def open_phone():
    """A function that opens a page of a browser as small as a phone, with these arguments of Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as driver:
        opened = []

        def open_phone(*arguments):
            opened.append(driver.chromium.launch(executable_path=browser, args=["--no-sandbox", *arguments]))
            page = opened[-1].new_context(viewport={"width": 375, "height": 667}).new_page()
            page.set_default_timeout(120_000)
            return page

        yield open_phone
        for chromium in opened:
            chromium.close()


@pytest.fixture
def phone(open_phone):
    """A page of a browser that is as small as a phone."""
    return open_phone()
