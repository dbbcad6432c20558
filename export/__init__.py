"""Export: from a trained model to verified files for the phone, the server and the browser.

The names in `__init__.pyi` are public; each is imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
