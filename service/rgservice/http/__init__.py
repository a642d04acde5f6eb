"""What all routes share, whatever they are about: a file for each step of a request.

What names no experiment and no study goes in here. `contract`, `of_before`, `probes`, `methods` and
`query` stand before a route, `deps` and `body` hand it what it needs, `seeds` and `paging` read
what several routes take, `errors` and `other_releases` say what is refused or cannot be read,
`answers` and `rendering` make it HTTP, `described` and `description` say all of it in
`/openapi.json`.
"""
