"""All benchmarks, one after the other, in modest sizes: `make bench`. Each has options of its own: `--help`."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("append", "reading", "live", "large", "reports", "mixed", "outcome", "proofs")


def main() -> int:
    if sys.argv[1:]:
        print(f"run one by itself for its options: python -m benchmarks.{'|'.join(BENCHMARKS)} --help", file=sys.stderr)
        return 2
    return max(
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode for name in BENCHMARKS
    )


if __name__ == "__main__":
    sys.exit(main())
