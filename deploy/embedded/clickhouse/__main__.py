"""python -m deploy.embedded.clickhouse --data DIR --port N --users FILE"""

import argparse
import os
import sys
from pathlib import Path

from deploy.embedded.clickhouse.process import CannotStart, claim, listen, serve
from deploy.embedded.clickhouse.users import UsersUnreadable, load


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded.clickhouse", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the tables, created if absent")
    parser.add_argument("--port", type=int, default=8123, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--users", type=Path, help="JSON file: user name -> password, readonly, limits")
    arguments = parser.parse_args()
    try:
        users = load(arguments.users)
        claim(arguments.data)
        serve(arguments.data, listen(arguments.port), users)
    except (CannotStart, UsersUnreadable) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a statement still running in the engine must not hold up the stop
