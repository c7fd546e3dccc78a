# What Scripts/run knows of regions and addresses: what is one, which of them works, and who can listen. Sourced after common.sh, not
# run. The gateway has the last word on each option.

check_http() {
  local form='^(\[[0-9A-Fa-f:.]+\]|[^][:space:]/:[]+):[0-9]{1,5}$'
  [[ $1 =~ $form ]] && [ "$((10#${1##*:}))" -le 65535 ] ||
    fail "--http takes HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080"
}

# The processes have the last word, which knows the countries.
check_region() {
  local form='^[A-Za-z]{2}(-[A-Za-z0-9]+)*$'
  [[ $1 =~ $form ]] || fail "--region takes a country of the EU or EEA, such as se or se-stockholm-1"
}

check_public_url() {
  local form='^[Hh][Tt][Tt][Pp][Ss]?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?/?$'
  [[ -z $1 || $1 =~ $form ]] || fail "--public-url takes a URL without a path, such as https://samtal.example.org"
}

check_proxy() {
  [[ $1 =~ ^[0-9A-Fa-f:.]+$ ]] || fail "--trusted-proxy takes an IP address, such as 127.0.0.1"
}

check_header() {
  [[ -z $1 || $1 =~ ^([Xx]-)?[Ff]orwarded(-[Ff]or)?$ ]] ||
    fail "--client-address-header takes x-forwarded-for or forwarded"
}

# local_url HOST:PORT: where a browser on this machine reaches what is served there. The address that stands for all of
# them is none to go to; this machine's own is among them.
local_url() {
  case $1 in
    0.0.0.0:*) say "http://127.0.0.1:${1##*:}" ;;
    "[::]:"*) say "http://[::1]:${1##*:}" ;;
    *) say "http://$1" ;;
  esac
}

# warn_of_clear_text HOST:PORT PUBLIC_URL: to those who would send their tokens over a network that others read.
warn_of_clear_text() {
  case $1 in 127.*:* | localhost:* | "[::1]:"*) return 0 ;; esac
  local address port=${1##*:}
  say ""
  say "WARNING       $1 is reached from other machines, and what goes over it is NOT ENCRYPTED:"
  say "              sign-in links, access tokens, questions and answers can be read and changed on the way."
  say "              Serve on 127.0.0.1, and put a proxy that speaks TLS before it:"
  say "                Scripts/run --http 127.0.0.1:$port --public-url https://HOST --trusted-proxy 127.0.0.1"
  if [ -z "$2" ] && [ "$(local_url "$1")" != "http://$1" ]; then
    for address in $(hostname -I 2>/dev/null); do
      case $address in *:*) address="[$address]" ;; esac
      say "              from other machines: http://$address:$port"
    done
  fi
  say ""
}
