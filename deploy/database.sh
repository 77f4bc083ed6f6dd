#!/bin/sh
# Run once by the image `postgres`, on a new data directory: the roles, the database, and who may connect.
#
# clearinghouse_owner    owns the tables and migrates them; nothing that serves requests knows its password
# clearinghouse_poster   writes the books; can neither change a posting nor the schema
# clearinghouse_reader   reads as one system, under row-level security
# clearinghouse_backup   copies the database and receives its journal
set -eu

# psql reads the passwords itself and quotes them: they are in no argument, and a server so set up logs no statement.
SECRETS=${SECRETS:-/run/secrets}
export SECRETS
psql -XAtqw -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set owner `cat "$SECRETS/owner_password"`
\set poster `cat "$SECRETS/poster_password"`
\set reader `cat "$SECRETS/reader_password"`
\set backup `cat "$SECRETS/backup_password"`
SET password_encryption = 'scram-sha-256';
CREATE ROLE clearinghouse_owner LOGIN CREATEROLE PASSWORD :'owner';
CREATE ROLE clearinghouse_poster LOGIN NOINHERIT PASSWORD :'poster';
CREATE ROLE clearinghouse_reader LOGIN NOINHERIT PASSWORD :'reader';
CREATE ROLE clearinghouse_backup LOGIN NOINHERIT REPLICATION PASSWORD :'backup';
-- The owner runs some migrations as what they make, and hands out rights to both.
GRANT clearinghouse_poster, clearinghouse_reader TO clearinghouse_owner WITH ADMIN OPTION;
CREATE DATABASE clearinghouse OWNER clearinghouse_owner;
REVOKE CONNECT, TEMPORARY ON DATABASE clearinghouse FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE clearinghouse TO clearinghouse_poster;
GRANT CONNECT ON DATABASE clearinghouse TO clearinghouse_reader, clearinghouse_backup;
SQL

echo 'host replication clearinghouse_backup samenet scram-sha-256' >>"$PGDATA/pg_hba.conf"
