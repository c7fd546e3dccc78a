// A loop of inserts on SQLite alone: what the store of a question costs without anything around it.
//
// Usage: sqlite-inserts FILE ROWS GROUP
//
// The rows are as long as chat's of a question of 128 bytes with a name, appended under a key that counts up, in
// transactions of GROUP; WAL with synchronous=FULL, as chat has. Prints a line of JSON: seconds, CPU seconds, and bytes of
// the write-ahead log.
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { ID = 29, DIGEST = 16, SEALED_NAME = 33, SEALED_TEXT = 157, FRAME = 4096 + 24 };

static sqlite3 *database;
static long frames, frames_before;

static void check(int code) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  fprintf(stderr, "sqlite-inserts: %s\n", sqlite3_errmsg(database));
  exit(1);
}

// After each commit: the frames there are in the log, which starts over when it was copied into the file.
static int committed(void *data, sqlite3 *db, const char *name, int in_log) {
  (void)data, (void)name;
  frames += in_log > frames_before ? in_log - frames_before : in_log;
  frames_before = in_log;
  return in_log >= 1000 ? sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) : SQLITE_OK;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: sqlite-inserts FILE ROWS GROUP\n");
    return 2;
  }
  long rows = atol(arguments[2]), group = atol(arguments[3]);
  check(sqlite3_open(arguments[1], &database));
  check(sqlite3_exec(database,
                     "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                     "CREATE TABLE question (number INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, id TEXT NOT NULL,"
                     "author BLOB NOT NULL, request BLOB NOT NULL, ask_time INTEGER NOT NULL, author_name BLOB,"
                     "text BLOB NOT NULL) STRICT",
                     NULL, NULL, NULL));
  sqlite3_wal_hook(database, committed, NULL);
  sqlite3_stmt *insert, *begin, *commit;
  check(sqlite3_prepare_v2(database, "INSERT INTO question VALUES (?, ?, ?, ?, ?, ?, ?, ?)", -1, &insert, NULL));
  check(sqlite3_prepare_v2(database, "BEGIN IMMEDIATE", -1, &begin, NULL));
  check(sqlite3_prepare_v2(database, "COMMIT", -1, &commit, NULL));
  uint8_t bytes[SEALED_TEXT];
  memset(bytes, 'x', sizeof bytes);
  double began = now();
  for (long row = 1; row <= rows; row++) {
    if (row % group == 1 || group == 1) check(sqlite3_step(begin)), check(sqlite3_reset(begin));
    sqlite3_bind_int64(insert, 1, row), sqlite3_bind_int64(insert, 2, row + 2);
    sqlite3_bind_text(insert, 3, (const char *)bytes, ID, SQLITE_STATIC);
    sqlite3_bind_blob(insert, 4, bytes, DIGEST, SQLITE_STATIC), sqlite3_bind_blob(insert, 5, bytes, DIGEST, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 6, 1700000000000 + row);
    sqlite3_bind_blob(insert, 7, bytes, SEALED_NAME, SQLITE_STATIC);
    sqlite3_bind_blob(insert, 8, bytes, SEALED_TEXT, SQLITE_STATIC);
    check(sqlite3_step(insert)), check(sqlite3_reset(insert));
    if (row % group == 0 || row == rows) check(sqlite3_step(commit)), check(sqlite3_reset(commit));
  }
  double took = now() - began;
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  printf("{\"seconds\": %.6f, \"cpu\": %.6f, \"wal\": %ld}\n", took,
         (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
         frames * FRAME);
  return 0;
}
