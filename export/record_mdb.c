/* PACP in Access files (.mdb of Access 97 to 2003, .accdb), by libmdb: the only file that knows it.
 *
 * libmdb trusts the file: a damaged one makes it read and write where it should not, or run for ever. So it is called
 * in a child process with limits on time and memory, which hands the tables over through a pipe; whatever becomes of
 * the child, this process only sees tables that are complete, or an error. */
#include "core/mem.h"
#include "export/record_pacp.h"

#include <errno.h>
#include <math.h>
#include <mdbtools.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CELL_BYTES = 256 << 10, SHORT_CELL_BYTES = 4 << 10, CPU_SECONDS = 60, WALL_SECONDS = 300, MAX_COLUMNS = 256 };
#define NO_TEXT UINT32_MAX
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define HAS_SHADOW_MEMORY
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define HAS_SHADOW_MEMORY
#endif
#define MEMORY_BYTES ((rlim_t)4 << 30)

/* What goes through the pipe: 'T' table, columns, names; 'R' cells of a row; 'C' a text was cut; 'E' all is said;
 * 'X' message. Numbers are uint32, texts have their length before them. */

/* ---- the child */

static void send_number(FILE *to, uint32_t value)
{
    fwrite(&value, sizeof value, 1, to);
}

static void send_text(FILE *to, const char *text, size_t n)
{
    send_number(to, (uint32_t)n);
    fwrite(text, 1, n, to);
}

static void send_failure(FILE *to, const char *text)
{
    fputc('X', to);
    send_text(to, text, strlen(text));
}

/* libmdb writes 42.7 as 4.2700000000000003e+01: as few digits as bring the number back. */
static void tidy_number(char *text, size_t size, bool is_float)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value)) return;
    if (fabs(value) < 1e15 && value == floor(value)) {
        snprintf(text, size, "%.0f", value);
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, value);
        if (is_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value) return;
    }
}

static MdbCatalogEntry *find_table(MdbHandle *mdb, const char *name)
{
    for (guint i = 0; i < mdb->num_catalog; i++) {
        MdbCatalogEntry *entry = g_ptr_array_index(mdb->catalog, i);
        if (entry->object_type == MDB_TABLE && strcasecmp(entry->object_name, name) == 0) return entry;
    }
    return NULL;
}

/* Bytes that libmdb may write for a cell: it takes as many from the heap for each, and a text that is no memo has 255
 * characters at most. */
static size_t cell_bytes(const MdbTableDef *table)
{
    for (unsigned c = 0; c < table->num_cols; c++) {
        const MdbColumn *column = g_ptr_array_index(table->columns, c);
        if (column->col_type == MDB_MEMO || column->col_type == MDB_OLE) return CELL_BYTES;
    }
    return SHORT_CELL_BYTES;
}

static bool send_table(FILE *to, MdbHandle *mdb, MdbCatalogEntry *entry, uint32_t number)
{
    MdbTableDef *table = mdb_read_table(entry);
    static char *texts[MAX_COLUMNS];
    static int lengths[MAX_COLUMNS];
    size_t cell;
    unsigned n;
    if (!table || !mdb_read_columns(table) || table->num_cols == 0 || table->num_cols > MAX_COLUMNS) return false;
    n = table->num_cols;
    cell = cell_bytes(table);
    mdb_set_bind_size(mdb, cell);
    fputc('T', to);
    send_number(to, number);
    send_number(to, n);
    for (unsigned c = 0; c < n; c++) {
        const MdbColumn *column = g_ptr_array_index(table->columns, c);
        if (!texts[c] && !(texts[c] = calloc(1, CELL_BYTES))) return false;
        send_text(to, column->name, strnlen(column->name, sizeof column->name));
        mdb_bind_column(table, (int)c + 1, texts[c], &lengths[c]);
    }
    mdb_rewind_table(table);
    while (mdb_fetch_row(table)) {
        bool is_cut = false;
        fputc('R', to);
        for (unsigned c = 0; c < n; c++) {
            const MdbColumn *column = g_ptr_array_index(table->columns, c);
            size_t size;
            if (column->col_type == MDB_DOUBLE || column->col_type == MDB_FLOAT)
                tidy_number(texts[c], cell, column->col_type == MDB_FLOAT);
            size = strnlen(texts[c], cell - 1);
            is_cut = is_cut || size >= cell - 8;
            if ((lengths[c] > 0 || column->col_type == MDB_BOOL) && size > 0 && column->col_type != MDB_OLE)
                send_text(to, texts[c], size);
            else
                send_number(to, NO_TEXT);
        }
        if (is_cut) fputc('C', to);
        if (ferror(to)) return false;
    }
    return true;
}

static bool is_any_password(const MdbHandle *mdb)
{
    return mdb->f->db_key != 0;
}

static void child(const char *path, FILE *to)
{
    MdbHandle *mdb = mdb_open(path, MDB_NOFLAGS);
    bool has[INTRA_PACP_N_TABLES] = {false};
    if (!mdb) {
        send_failure(
            to,
            "the file cannot be opened as an Access database; it may be damaged, or of a version that is not known");
        return;
    }
    mdb_set_date_fmt(mdb, "%Y-%m-%d %H:%M:%S");
    mdb_set_shortdate_fmt(mdb, "%Y-%m-%d %H:%M:%S"); /* a time of the day must not be lost */
    mdb_set_boolean_fmt_numbers(mdb);
    if (!mdb_read_catalog(mdb, MDB_TABLE)) {
        send_failure(to, is_any_password(mdb) ? "the list of tables cannot be read; the file seems to be encrypted"
                                              : "the list of tables cannot be read; the file is damaged");
        return;
    }
    for (uint32_t i = 0; i < INTRA_PACP_N_TABLES; i++) {
        const char *name = intra_pacp_table_names[i];
        MdbCatalogEntry *entry = find_table(mdb, name);
        if (!entry) entry = find_table(mdb, name + strlen("PACP_")); /* version 6 */
        if (!entry) continue;
        if (!send_table(to, mdb, entry, i)) {
            char text[128];
            snprintf(text, sizeof text, "the table %s cannot be read; the file is damaged", name);
            send_failure(to, text);
            return;
        }
        has[i] = true;
    }
    for (int i = 0; i <= INTRA_PACP_CONDITIONS; i++)
        if (!has[i]) {
            char text[128];
            snprintf(text, sizeof text, "the table %s is not in this database", intra_pacp_table_names[i]);
            send_failure(to, text);
            return;
        }
    fputc('E', to);
}

static void limit(int what, rlim_t value)
{
    struct rlimit now;
    if (getrlimit(what, &now) != 0) return;
    if (now.rlim_max == RLIM_INFINITY || now.rlim_max > value) now.rlim_max = value;
    now.rlim_cur = now.rlim_max;
    setrlimit(what, &now);
}

/* Never comes back. */
static void run_child(const char *path, int fd)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM, SIGTERM, SIGXCPU, SIGPIPE};
    FILE *to = fdopen(fd, "wb");
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], SIG_DFL);
    if (!freopen("/dev/null", "r", stdin) || !freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
        _exit(1);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, CPU_SECONDS);
#ifndef HAS_SHADOW_MEMORY /* which is larger than any limit */
    limit(RLIMIT_AS, MEMORY_BYTES);
#endif
    if (!to) _exit(1);
    child(path, to);
    _exit(fclose(to) == 0 ? 0 : 1);
}

/* ---- this process */

struct reader {
    const char *path;
    char *bytes;
    size_t n, cap, at;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enum intra_status grow(struct reader *r, struct intra_error *err)
{
    size_t cap = r->cap ? 2 * r->cap : 1 << 16;
    char *grown;
    if (r->cap >= 2 * (size_t)INTRA_RECORD_MAX_BYTES)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: more than %d MB of inspection tables", r->path,
                          2 * (INTRA_RECORD_MAX_BYTES >> 20));
    grown = intra_resize(r->bytes, r->cap, cap, 1);
    if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "%s: no memory for %zu bytes", r->path, cap);
    r->bytes = grown;
    r->cap = cap;
    return INTRA_OK;
}

/* All that the child says, until it closes its end. */
static enum intra_status receive(struct reader *r, int fd, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double until = now_s() + WALL_SECONDS;
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        double left = until - now_s();
        ssize_t got;
        if (r->n == r->cap) INTRA_TRY(grow(r, err));
        if (left <= 0) {
            status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: not read after %d s; the Access file is damaged", r->path,
                                WALL_SECONDS);
            goto done;
        }
        if (poll(&wait, 1, (int)(1000 * left) + 1) <= 0) continue;
        got = read(fd, r->bytes + r->n, r->cap - r->n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        r->n += (size_t)got;
    }
done:
    return status;
}

static bool take_number(struct reader *r, uint32_t *out)
{
    if (r->n - r->at < sizeof *out) return false;
    memcpy(out, r->bytes + r->at, sizeof *out);
    r->at += sizeof *out;
    return true;
}

/* A text as UTF-8 (intra_alloc); NULL: an empty cell. */
static enum intra_status take_text(struct reader *r, bool *is_whole, char **out, struct intra_error *err)
{
    uint32_t size;
    size_t n;
    *out = NULL;
    *is_whole = take_number(r, &size);
    if (!*is_whole || size == NO_TEXT) return INTRA_OK;
    *is_whole = r->n - r->at >= size;
    if (!*is_whole) return INTRA_OK;
    r->at += size;
    return intra_record_to_utf8(r->bytes + r->at - size, size, NULL, out, &n, err);
}

/* The tables from the child's words; *is_whole: it came to its end. */
static enum intra_status unpack(struct reader *r, struct intra_pacp *pacp, struct intra_record *record, bool *is_whole,
                                struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_sheet *t = NULL;
    char *text = NULL;
    bool is_good = true;
    *is_whole = false;
    while (is_good && r->at < r->n) {
        char what = r->bytes[r->at++];
        uint32_t number = 0, n_cols = 0;
        if (what == 'E') {
            *is_whole = true;
            break;
        } else if (what == 'X') {
            INTRA_TRY(take_text(r, &is_good, &text, err));
            status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s", r->path, text ? text : "damaged Access file");
            goto done;
        } else if (what == 'T') {
            is_good = take_number(r, &number) && take_number(r, &n_cols) && number < INTRA_PACP_N_TABLES &&
                      n_cols <= MAX_COLUMNS && pacp->tables[number].n_cols == 0;
            t = is_good ? &pacp->tables[number] : NULL;
            for (uint32_t c = 0; is_good && c < n_cols; c++) {
                INTRA_TRY(take_text(r, &is_good, &text, err));
                INTRA_TRY(intra_sheet_add_column(t, text ? text : "", err));
                intra_free(text);
                text = NULL;
            }
        } else if (what == 'R' && t) {
            INTRA_TRY(intra_sheet_add_row(t, err));
            for (int c = 0; is_good && c < t->n_cols; c++) {
                INTRA_TRY(take_text(r, &is_good, &text, err));
                if (text) INTRA_TRY(intra_sheet_set(t, t->n_rows - 1, c, text, err));
                intra_free(text);
                text = NULL;
            }
        } else if (what == 'C') {
            intra_record_kept(record, "a text of more than %d KB is cut", CELL_BYTES >> 10);
        } else {
            is_good = false;
        }
    }
done:
    intra_free(text);
    return status;
}

static enum intra_status read_tables(const char *path, struct intra_pacp *pacp, struct intra_record *record,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct reader r = {.path = path};
    int ends[2] = {-1, -1}, state = 0;
    bool is_whole = false;
    pid_t pid = -1;
    if (access(path, R_OK) != 0) {
        status = INTRA_FAIL(err, INTRA_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
        goto done;
    }
    fflush(NULL); /* nothing twice */
    if (pipe(ends) == 0) pid = fork();
    if (pid < 0) {
        status = INTRA_FAIL(err, INTRA_E_IO, "%s: no process to read it in: %s", path, strerror(errno));
        goto done;
    }
    if (pid == 0) {
        close(ends[0]);
        run_child(path, ends[1]);
    }
    close(ends[1]);
    ends[1] = -1;
    status = receive(&r, ends[0], err);
    if (status != INTRA_OK) kill(pid, SIGKILL);
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
        continue;
    if (status != INTRA_OK) goto done;
    INTRA_TRY(unpack(&r, pacp, record, &is_whole, err));
    if (!is_whole || !WIFEXITED(state) || WEXITSTATUS(state) != 0)
        status = INTRA_FAIL(
            err, INTRA_E_FORMAT,
            "%s: damaged Access file: reading it ended with %s %d; compact it in Access, or export its tables "
            "as CSV",
            path, WIFSIGNALED(state) ? "signal" : "status", WIFSIGNALED(state) ? WTERMSIG(state) : WEXITSTATUS(state));
done:
    if (ends[0] >= 0) close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
    intra_free(r.bytes);
    return status;
}

enum intra_status intra_record_read_pacp_mdb(const char *path, struct intra_record *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_pacp pacp = {0};
    INTRA_TRY(read_tables(path, &pacp, out, err));
    INTRA_TRY(intra_pacp_to_record(&pacp, out, err));
done:
    intra_pacp_fini(&pacp);
    return status;
}
