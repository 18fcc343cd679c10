#!/bin/sh
# Makes what compose.yaml mounts as secrets, once; what is there already is left as it is.
# Afterwards write your endpoint's key and the [auth] section (docs/sharing.md) into the two files
# that are named at the end.
set -eu
if [ "$(id -u)" != 0 ]; then
    echo "Run it as root: these files are to belong to the image's user, 10001, and to nobody else." >&2
    exit 1
fi
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets

random() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

[ -s postgres_password ] || random > postgres_password
[ -s database_url ] ||
    printf 'postgresql://fanout:%s@postgres:5432/fanout' "$(cat postgres_password)" > database_url
[ -s people_key ] || random > people_key
[ -e openai_api_key ] || : > openai_api_key
if [ ! -e streamlit_secrets.toml ]; then
    cat > streamlit_secrets.toml <<END
[auth]
redirect_uri = "https://fanout.example.com/oauth2callback"
cookie_secret = "$(random)"
client_id = ""
client_secret = ""
server_metadata_url = "https://id.example.com/.well-known/openid-configuration"
END
fi
chown 10001:10001 database_url openai_api_key people_key streamlit_secrets.toml
echo "Now fill in deploy/secrets/openai_api_key and deploy/secrets/streamlit_secrets.toml."
