#!/usr/bin/env python3
"""Looks through the logs of all servers of a run of the tests for what no log may show.

    tests/log_secrets.py DIRECTORY

Those are the servers of tests/api/process.rs and the like, of tests/faults and of tests/clients; the other tests of tests/api
run their servers in their own process, which logs nothing. Found are tokens and invites (by their form), hashes of passwords, and every password and text of a message that the
tests write as a literal. The last line is as the test runners have it; the exit code is 1 when something was found, or
when the logs of a kind are missing.
"""

import re
import sys
from pathlib import Path

TESTS = Path(__file__).parent
# The names of logs begin with the tests that they are of.
KINDS = ("clients", "faults", "process")

FORMS = {
    "a JSON Web Token (access token or invite)": re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}"),
    # 32 random bytes in base64url, as refresh and reset tokens are; names of tests and files have no such mixture.
    "an opaque token": re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[A-Za-z0-9_-]{43}(?![\w-])"),
    "a hash of a password": re.compile(r"\$2[aby]\$\d\d\$"),
    "a password in a URL": re.compile(r"://[^\s/:@]+:[^\s/@*]+@"),
}
# What tests write as `content: '...'`, `"password": "..."` and the like: of eight characters at least, so that it is no
# word that a log has anyway.
LITERAL = re.compile(r"""\b(?:content|password|text|PASSWORD|SECRET)["']?\s*(?::\s*&str\s*)?[:=]\s*(["'])((?:(?!\1)[^\\\n`$]){8,})\1""")


# What is logged on purpose: without a mail server a developer finds the link here; production logs that there is none.
MEANT = "password reset (development: no mail is sent)"


def literals():
    sources = [path for form in ("*.rs", "*.js", "*.mjs") for path in TESTS.rglob(form) if "node_modules" not in path.parts]
    return {match[2] for source in sources for match in LITERAL.finditer(source.read_text(errors="replace"))}


def main(directory):
    logs = sorted(Path(directory).rglob("*.log"))
    missing = [kind for kind in KINDS if not any(log.name.startswith(kind) and log.stat().st_size for log in logs)]
    words = literals()
    secret = re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))
    found = lines = 0
    for log in logs:
        with log.open(errors="replace") as file:
            for number, line in enumerate(file, 1):
                lines += 1
                if MEANT in line:
                    continue
                hits = [what for what, form in FORMS.items() if form.search(line)]
                hits += [f"the literal {hit[0]!r}" for hit in [secret.search(line)] if hit]
                for what in hits:
                    found += 1
                    if found <= 20:
                        print(f"{log}:{number}: {what}: {line.rstrip()[:300]}")
    print(f"{lines} lines of {len(logs)} logs, {len(words)} passwords and texts: {found} found")
    if missing:
        print(f"there is no log of {', '.join(missing)}")
    ok = found == 0 and not missing
    print(f"test result: {'ok' if ok else 'FAILED'}. {int(ok)} passed; {int(not ok)} failed;")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
