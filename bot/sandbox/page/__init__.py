"""The sandbox page: a workspace in the browser, over the stand-ins and the real bot."""
