"""The companies whose APIs hold the numbers; `workflow` knows them only through :mod:`bot.providers.base`."""
