"""`/v1/experiments`: asking for them, one or many, finding and steering them, reading them back.

`routes` reads a request and calls one function. A submission goes `one` or `bulk` (what tells them
apart), `pricing` (the value that it becomes), `submitting` (the way that all take), with
`completing`, `cost` and `forecasting` beside it. What is read back goes
`steering` (found by name and seeds), `views`, `listing`, `results`. A new field of an answer goes
into `rgcontract.status` and `views`; a new route into `routes`, with a file of its own for what it
does.
"""
