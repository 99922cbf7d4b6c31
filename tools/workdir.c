#include "tools/workdir.h"

#include "core/fileio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char lock_name[] = ".lock";
static const char inner_name[] = "intrados.part"; /* the work folder inside an OUT that exists */

/* ---- removal on a signal ---- */

static pthread_mutex_t guard_lock = PTHREAD_MUTEX_INITIALIZER; /* guards guarded, and moving against removing */
static char guarded[1040];                                     /* folder to remove; "" = none */

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Files first, folders inside them before that. What cannot be removed stays. */
static void remove_tree(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL) {
        char inner[2048];
        struct stat st;
        if (is_dot(entry->d_name)) continue;
        if (snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) >= (int)sizeof inner) continue;
        if (lstat(inner, &st) == 0 && S_ISDIR(st.st_mode))
            remove_tree(inner);
        else
            unlink(inner);
    }
    if (folder) closedir(folder);
    rmdir(path);
}

/* Signals are taken by a thread of their own, where removing files is allowed, and then given their usual effect. */
static void *watch_signals(void *arg)
{
    sigset_t *set = arg;
    int number = 0;
    while (sigwait(set, &number) != 0) {
    }
    pthread_mutex_lock(&guard_lock);
    /* Other threads still run and may make files: a few rounds until the folder stays away. */
    for (int i = 0; i < 20 && guarded[0] && intra_path_exists(guarded); i++) {
        remove_tree(guarded);
        usleep(i ? 10000 : 0);
    }
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, set, NULL);
    raise(number);
    _exit(128 + number);
}

static void guard_folder(const char *path)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    static sigset_t set;
    static bool is_watching;
    pthread_t thread;
    pthread_mutex_lock(&guard_lock);
    snprintf(guarded, sizeof guarded, "%s", path);
    pthread_mutex_unlock(&guard_lock);
    if (is_watching) return;
    is_watching = true;
    signal(SIGPIPE, SIG_IGN); /* nobody reading our messages is no reason to leave scratch files */
    sigemptyset(&set);
    for (int i = 0; i < 3; i++) {
        struct sigaction action;
        /* Somebody who started us with the signal ignored (nohup) meant it. */
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler == SIG_IGN) continue;
        sigaddset(&set, numbers[i]);
    }
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* and so in every thread started later */
    if (pthread_create(&thread, NULL, watch_signals, &set) == 0)
        pthread_detach(thread);
    else
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- the folder ---- */

/* A folder without entries; what a killed run left does not count. */
static bool is_empty_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool is_empty = folder != NULL;
    while (folder && (entry = readdir(folder)) != NULL)
        if (!is_dot(entry->d_name) && strcmp(entry->d_name, inner_name) != 0) is_empty = false;
    if (folder) closedir(folder);
    return is_empty;
}

static enum intra_status check_target(struct intra_workdir *dir, bool is_forced, struct intra_error *err)
{
    struct stat st;
    if (stat(dir->out, &st) != 0) {
        if (errno != ENOENT)
            return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot use as output folder: %s; choose another with -o", dir->out,
                              strerror(errno));
        dir->is_new = true;
        return INTRA_OK;
    }
    if (!S_ISDIR(st.st_mode)) return INTRA_FAIL(err, INTRA_E_EXISTS, "%s: is a file; name a folder with -o", dir->out);
    if (access(dir->out, W_OK | X_OK) != 0)
        return INTRA_FAIL(err, INTRA_E_IO, "%s: output folder is not writable: %s; choose another with -o", dir->out,
                          strerror(errno));
    dir->is_new = is_empty_folder(dir->out);
    if (!dir->is_new && !is_forced)
        return INTRA_FAIL(err, INTRA_E_EXISTS,
                          "%s: output folder exists and is not empty; give --force to replace it, or another -o",
                          dir->out);
    return INTRA_OK;
}

static enum intra_status make_parent(const char *path, struct intra_error *err)
{
    char parent[1024];
    char *slash;
    snprintf(parent, sizeof parent, "%s", path);
    slash = strrchr(parent, '/');
    if (!slash || slash == parent) return INTRA_OK;
    *slash = 0;
    return intra_make_dir(parent, err);
}

static enum intra_status take_lock(struct intra_workdir *dir, struct intra_error *err)
{
    char path[1100];
    snprintf(path, sizeof path, "%s/%s", dir->part, lock_name);
    dir->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (dir->lock_fd < 0)
        return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot write: %s; free space or choose another folder with -o",
                          dir->part, strerror(errno));
    if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(dir->lock_fd);
        dir->lock_fd = -1;
        return INTRA_FAIL(err, INTRA_E_EXISTS, "%s: another run is writing there; wait for it, or choose another -o",
                          dir->part);
    }
    return INTRA_OK;
}

/* A folder beside OUT that happens to have the work folder's name: without our lock, whatever it holds is not ours. */
static bool is_foreign(const struct intra_workdir *dir)
{
    char lock[1100];
    size_t n = strlen(dir->part), inner = sizeof inner_name - 1;
    if (n > inner && dir->part[n - inner - 1] == '/' && strcmp(dir->part + n - inner, inner_name) == 0) return false;
    snprintf(lock, sizeof lock, "%s/%s", dir->part, lock_name);
    return intra_path_is_dir(dir->part) && !is_empty_folder(dir->part) && !intra_path_exists(lock);
}

/* Everything a killed run left, but for our lock. */
static void clear_left_over(const struct intra_workdir *dir)
{
    DIR *folder = opendir(dir->part);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL) {
        char inner[2048];
        if (is_dot(entry->d_name) || strcmp(entry->d_name, lock_name) == 0) continue;
        if (snprintf(inner, sizeof inner, "%s/%s", dir->part, entry->d_name) >= (int)sizeof inner) continue;
        if (unlink(inner) != 0) remove_tree(inner);
    }
    if (folder) closedir(folder);
}

static bool is_same_folder(const char *a, const char *b)
{
    struct stat at, bt;
    return stat(a, &at) == 0 && stat(b, &bt) == 0 && at.st_dev == bt.st_dev && at.st_ino == bt.st_ino;
}

enum intra_status intra_workdir_spare(const char *out, const char *input, bool (*is_owned)(const char *name),
                                      struct intra_error *err)
{
    char parent[1024];
    const char *slash = strrchr(input, '/'), *name = slash ? slash + 1 : input;
    if (is_same_folder(out, input) && intra_path_is_dir(input))
        return INTRA_FAIL(err, INTRA_E_EXISTS, "%s: the result would mix with its own input; choose another -o", input);
    if (snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - input) + 1 : 1, slash ? input : ".") >=
        (int)sizeof parent)
        return INTRA_OK; /* longer than any OUT */
    if (is_same_folder(out, parent) && (is_owned(name) || strcmp(name, inner_name) == 0))
        return INTRA_FAIL(err, INTRA_E_EXISTS, "%s: would be replaced by the result; choose another -o", input);
    return INTRA_OK;
}

enum intra_status intra_workdir_open(struct intra_workdir *dir, const char *out, bool is_forced,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const char *last;
    size_t n;
    memset(dir, 0, sizeof *dir);
    dir->lock_fd = -1;
    if (!*out) return INTRA_FAIL(err, INTRA_E_ARG, "-o: the name of the output folder is empty");
    if (snprintf(dir->out, sizeof dir->out, "%s", out) >= (int)sizeof dir->out)
        return INTRA_FAIL(err, INTRA_E_ARG, "-o: the name of the output folder is longer than %zu bytes",
                          sizeof dir->out - 1);
    n = strlen(dir->out);
    while (n > 1 && dir->out[n - 1] == '/')
        dir->out[--n] = 0;
    last = strrchr(dir->out, '/') ? strrchr(dir->out, '/') + 1 : dir->out;
    if (!*last || is_dot(last))
        return INTRA_FAIL(err, INTRA_E_ARG, "-o %s: give the output folder a name of its own", dir->out);
    INTRA_TRY(check_target(dir, is_forced, err));
    /* Beside, so that one rename brings the whole folder; inside, where OUT may be another file system's root. */
    if (intra_path_is_dir(dir->out))
        snprintf(dir->part, sizeof dir->part, "%s/%s", dir->out, inner_name);
    else
        snprintf(dir->part, sizeof dir->part, "%s.part", dir->out);
    INTRA_TRY(make_parent(dir->out, err));
    if (is_foreign(dir))
        return INTRA_FAIL(err, INTRA_E_EXISTS,
                          "%s: is in the way and not a work folder of this program; move it, or choose another -o",
                          dir->part);
    if (mkdir(dir->part, 0777) != 0 && errno != EEXIST) {
        status = INTRA_FAIL(err, INTRA_E_IO, "%s: cannot make the output folder: %s; choose another with -o", dir->out,
                            strerror(errno));
        goto done;
    }
    INTRA_TRY(take_lock(dir, err));
    dir->is_open = true;
    clear_left_over(dir);
    guard_folder(dir->part);
done:
    return status;
}

enum intra_status intra_workdir_path(const struct intra_workdir *dir, const char *name, char *path, int n,
                                     struct intra_error *err)
{
    return intra_path_join(path, (size_t)n, dir->part, name, err);
}

/* From here on a signal removes nothing; ends a removal that has begun by never coming back. */
static void unguard(void)
{
    pthread_mutex_lock(&guard_lock);
    guarded[0] = 0;
    pthread_mutex_unlock(&guard_lock);
}

static void unlock(struct intra_workdir *dir)
{
    char path[1100];
    snprintf(path, sizeof path, "%s/%s", dir->part, lock_name);
    unlink(path);
    if (dir->lock_fd >= 0) close(dir->lock_fd);
    dir->lock_fd = -1;
    dir->is_open = false;
}

/* One entry of OUT.part into OUT, over what stands there. */
static enum intra_status move_entry(const struct intra_workdir *dir, const char *name, struct intra_error *err)
{
    char from[2048], to[2048];
    if (snprintf(from, sizeof from, "%s/%s", dir->part, name) >= (int)sizeof from ||
        snprintf(to, sizeof to, "%s/%s", dir->out, name) >= (int)sizeof to)
        return INTRA_FAIL(err, INTRA_E_IO, "%s/%s: name too long", dir->out, name);
    if (intra_path_is_dir(to)) remove_tree(to); /* rename does not replace a folder that holds files */
    if (rename(from, to) != 0)
        return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot replace: %s; the new files are in %s", to, strerror(errno),
                          dir->part);
    return INTRA_OK;
}

/* Ours of an earlier run that this one did not write again. */
static void remove_stale(const struct intra_workdir *dir, bool (*is_owned)(const char *name))
{
    DIR *folder = opendir(dir->out);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL) {
        char fresh[2048], old[2048];
        if (!is_owned(entry->d_name)) continue;
        if (snprintf(fresh, sizeof fresh, "%s/%s", dir->part, entry->d_name) >= (int)sizeof fresh ||
            snprintf(old, sizeof old, "%s/%s", dir->out, entry->d_name) >= (int)sizeof old)
            continue;
        if (!intra_path_exists(fresh)) unlink(old);
    }
    if (folder) closedir(folder);
}

static enum intra_status move_into(struct intra_workdir *dir, bool (*is_owned)(const char *name),
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    DIR *folder;
    struct dirent *entry;
    remove_stale(dir, is_owned);
    folder = opendir(dir->part);
    if (!folder) return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot read: %s", dir->part, strerror(errno));
    while ((entry = readdir(folder)) != NULL) {
        if (is_dot(entry->d_name) || strcmp(entry->d_name, lock_name) == 0) continue;
        INTRA_TRY(move_entry(dir, entry->d_name, err));
        rewinddir(folder); /* moving changed the folder that we walk */
    }
done:
    closedir(folder);
    return status;
}

enum intra_status intra_workdir_publish(struct intra_workdir *dir, bool (*is_owned)(const char *name),
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    unguard();
    if (!intra_path_exists(dir->out)) {
        unlock(dir);
        if (rename(dir->part, dir->out) != 0)
            status = INTRA_FAIL(err, INTRA_E_IO, "%s: cannot rename to %s: %s; the files are there", dir->part,
                                dir->out, strerror(errno));
        return status;
    }
    INTRA_TRY(move_into(dir, is_owned, err));
    unlock(dir);
    rmdir(dir->part);
done:
    return status;
}

void intra_workdir_leave(struct intra_workdir *dir)
{
    unguard();
    if (dir->is_open) unlock(dir);
}

void intra_workdir_discard(struct intra_workdir *dir)
{
    if (!dir->is_open) return;
    unguard();
    remove_tree(dir->part);
    unlock(dir);
}
