#!/bin/sh
# Make what docker-compose.yml reads as secrets, in the folder `secrets` (or the one named); what is there stays.
#
# The folder is closed to everybody else; the files in it can be read, since in a container another account reads them.
# KEEP A COPY of master_key elsewhere, and not beside the backups: without it travellers' data can't be read again.
set -eu
umask 077
folder=${1:-secrets}
mkdir -p "$folder"

# Writes standard input, once: a password that is made anew would not be the database's any more.
keep() {
    if [ ! -s "$folder/$1" ]; then
        cat >"$folder/.$1"
        chmod 444 "$folder/.$1"
        mv "$folder/.$1" "$folder/$1"
        echo "made $folder/$1"
    fi
}

random() {
    head -c 24 /dev/urandom | base64 | tr '+/' '-_' | tr -d '='
}

for name in superuser owner poster reader backup broker; do
    random | keep "${name}_password"
done
head -c 32 /dev/urandom | base64 | keep master_key
for role in owner poster reader; do
    printf 'postgresql://clearinghouse_%s:%s@database:5432/clearinghouse\n' \
        "$role" "$(cat "$folder/${role}_password")" | keep "${role}_url"
done
printf 'redis://:%s@broker:6379/0\n' "$(cat "$folder/broker_password")" | keep broker_url
printf 'log:\n' | keep sender_url
