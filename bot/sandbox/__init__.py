"""Embedded stand-ins for the services that the bot talks to; they speak to it over HTTP as the real ones do."""
