"""Tables, migrations, and the only SQL of the project."""
