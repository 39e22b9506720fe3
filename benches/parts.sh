# Sourced by the benchmarks that run real parts: a folder of their own, and programs that end with the benchmark.
# FEDGATE_BIN is the folder of the build that is measured (default: the release build).
bin="$(realpath "${FEDGATE_BIN:-target/release}")"
folder="$(mktemp -d)"
started=()
cleanup() {
    for pid in "${started[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap cleanup EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

keep() { # <file>: what comes in, for this user alone
    (umask 077 && cat >"$folder/$1")
}

secret() { # <file> <bytes>
    head -c "$2" /dev/urandom | base64 -w0 | tr -d '/+=' | keep "$1"
}

run() { # <command>...: in the background, ended with the benchmark; its process is ${started[-1]}
    "$@" &
    started+=("$!")
}

answers() { # <url>: waits for it, as long as what was started last lives
    until curl -sf -o /dev/null "$1"; do
        kill -0 "${started[-1]}" 2>/dev/null || { echo "${started[-1]} ended before $1 answered" >&2; exit 1; }
        sleep 0.05
    done
}

gateway() { # <port> <configuration>: its log goes to the terminal from warnings on
    run "$bin/fedgate" serve --config "$2"
    answers "http://127.0.0.1:$1/healthz"
}
