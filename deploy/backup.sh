#!/bin/sh
# Physical backups of the books, by PostgreSQL's own programs: base backups and every byte of the journal (WAL) since.
#
#   backup.sh journal               receive the journal as it is written; runs for ever
#   backup.sh base                  take and check a base backup, then remove what is too old
#   backup.sh daily                 take one now if the last is older than a day, and then one every day
#   backup.sh list                  show the base backups
#   backup.sh healthy               exit 0 if the journal is being received and the last base backup is young
#   backup.sh restore INTO [WHEN]   make a data directory that recovers to a moment ('2026-12-01 08:30:00+08'), or to the end
#   backup.sh forward [COUNT]       after a restore: pass over COUNT transaction ids (1000000)
#
# BACKUP_DIR     where backups are kept: other disks than the database's
# BACKUP_KEEP    how many base backups are kept (14)
# PGPASSWORD_FILE, and libpq's PGHOST, PGPORT, PGUSER, PGDATABASE: a role with REPLICATION
#
# Never pg_dump: events are ordered by transaction ids, which a database loaded from a dump begins anew.
set -eu
umask 077

SLOT=clearinghouse_backup
DAY=86400
LATE=172800       # seconds after which a base backup is too old
FAR=1073741824    # bytes of journal that may be waiting to be received
PROGRAM=${0##*/}

fail() {
    echo "$PROGRAM: $1" >&2
    exit 1
}

[ -n "${BACKUP_DIR:-}" ] || fail 'set BACKUP_DIR to the folder of the backups'
if [ -n "${PGPASSWORD_FILE:-}" ]; then
    PGPASSWORD=$(cat "$PGPASSWORD_FILE")
    export PGPASSWORD
fi
bases=$BACKUP_DIR/base
journal=$BACKUP_DIR/journal
keep=${BACKUP_KEEP:-14}

# The folders of whole base backups, the oldest first; each is named by the moment at which it was complete (UTC).
whole() {
    for folder in "$bases"/????????T??????Z; do
        if [ -d "$folder" ]; then echo "$folder"; fi
    done
}

age_of_last() {
    last=$(whole | tail -n 1)
    if [ -n "$last" ]; then
        echo $(($(date +%s) - $(stat -c %Y "$last/complete")))
    else
        echo $((LATE + 1))
    fi
}

receive_journal() {
    mkdir -p "$journal"
    # The slot makes the server keep what we have not got yet, up to its max_slot_wal_keep_size.
    pg_receivewal -D "$journal" --slot="$SLOT" --create-slot --if-not-exists --no-password
    exec pg_receivewal -D "$journal" --slot="$SLOT" --synchronous --no-password
}

take_base() {
    mkdir -p "$bases"
    fresh=$bases/unfinished
    rm -rf "$fresh"
    pg_basebackup -D "$fresh" --checkpoint=fast --wal-method=stream --label=clearinghouse --no-password
    pg_verifybackup --quiet "$fresh"
    touch "$fresh/complete"
    sync "$fresh/complete" "$fresh"
    name=$(date -u +%Y%m%dT%H%M%SZ)
    mv -T "$fresh" "$bases/$name"
    echo "$PROGRAM: $name is whole and checked"
    remove_old
}

remove_old() {
    whole | head -n "-$keep" | while read -r folder; do
        rm -rf "$folder"
        echo "$PROGRAM: ${folder##*/} was the oldest of more than $keep and is removed"
    done
    # Journal from before the oldest base backup restores nothing.
    needed=$(sed -n 's/^START WAL LOCATION: .*(file \([0-9A-F]*\))$/\1/p' "$(whole | head -n 1)/backup_label")
    if [ -d "$journal" ] && [ -n "$needed" ]; then pg_archivecleanup "$journal" "$needed"; fi
}

every_day() {
    while :; do
        waits=$((DAY - $(age_of_last)))
        if [ "$waits" -le 0 ]; then
            # One that fails is tried again soon; `healthy` says if none succeeds.
            # As a program of its own: a function would go on after a step that failed.
            "$0" base || { echo "$PROGRAM: the base backup failed; trying again in 5 minutes" >&2; waits=300; }
        fi
        # In the background, so that a signal is heard at once.
        sleep "$([ "$waits" -gt 0 ] && echo "$waits" || echo 60)" &
        wait $!
    done
}

is_healthy() {
    [ "$(age_of_last)" -le "$LATE" ] || fail 'the last base backup is too old, or there is none'
    received=$(psql -XAtqw -c "SELECT active AND pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) < $FAR
        FROM pg_replication_slots WHERE slot_name = '$SLOT'")
    [ "$received" = t ] || fail 'the journal is not being received, or far behind'
}

restore() {
    into=$1 moment=${2:-}
    [ ! -e "$into" ] || fail "$into is there already: name a folder to make"
    newest=99999999T999999Z
    if [ -n "$moment" ]; then
        newest=$(date -u -d "$moment" +%Y%m%dT%H%M%SZ) || fail "'$moment' is no moment like '2026-12-01 08:30:00+08'"
        moment=$(date -u -d "$moment" '+%Y-%m-%d %H:%M:%S.%6N+00')
    fi
    from=$(whole | awk -v newest="$bases/$newest" '$0 <= newest' | tail -n 1)
    [ -n "$from" ] || fail 'there is no base backup from before that moment'
    echo "$PROGRAM: restoring from ${from##*/}"
    cp -a "$from" "$into.unfinished"
    rm -f "$into.unfinished/complete"
    {
        echo "# Written by $PROGRAM restore: used once, while recovery.signal is there."
        # The last piece of the journal is not full yet, and has another name.
        folder=$(printf %s "$journal" | sed "s/'/''/g; s/%/%%/g")
        echo "restore_command = 'cp \"$folder/%f\" \"%p\" 2>/dev/null || cp \"$folder/%f.partial\" \"%p\" 2>/dev/null'"
        echo "recovery_target_action = 'promote'"
        if [ -n "$moment" ]; then echo "recovery_target_time = '$moment'"; fi
    } >>"$into.unfinished/postgresql.auto.conf"
    touch "$into.unfinished/recovery.signal"
    mv -T "$into.unfinished" "$into"
    echo "$PROGRAM: $into is ready; start PostgreSQL on it, and it recovers${moment:+ to $moment}"
}

forward() {
    # What was told after the moment we went back to had ids that are given again: who has read so far would miss them.
    psql -XAtqw -v ON_ERROR_STOP=1 -c "DO \$\$ BEGIN
        FOR n IN 1..$1 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END \$\$"
    echo "$PROGRAM: passed over $1 transaction ids"
}

case ${1:-} in
    journal) receive_journal ;;
    base) take_base ;;
    daily) every_day ;;
    list) whole | sed 's,.*/,,' ;;
    healthy) is_healthy ;;
    restore) restore "${2:?name the folder to make}" "${3:-}" ;;
    forward) forward "${2:-1000000}" ;;
    *)
        sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
