"""Does any test notice when the code is wrong? Mutants of the domain and the workflow, each run against its tests.

``python -m tests.mutation --help`` says how; CONTRIBUTING says what came of it last.
"""
