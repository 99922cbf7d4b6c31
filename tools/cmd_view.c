/* view: the report page of a finished project, in the browser. */
#include "tools/commands.h"
#include "tools/options.h"

#include "core/fileio.h"
#include "core/units.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPT_STATION, OPT_CLOCK, OPT_PRINT, N_OPTIONS };

static const struct intra_option options[N_OPTIONS] = {
    [OPT_STATION] = {"station", 0, "LENGTH", "open it at this station, e.g. 12.34m"},
    [OPT_CLOCK] = {"clock", 0, "HOURS", "and looking at this clock position, e.g. 3"},
    [OPT_PRINT] = {"print", 0, NULL, "print the page's address instead of opening it"},
};

static const struct intra_usage usage = {"view",
                                         "OUT",
                                         "Opens the report page of a finished reconstruction in the browser.",
                                         "intrados view run.intrados --station 12.34m --clock 3",
                                         options,
                                         N_OPTIONS};

struct request {
    double station_m;
    double clock;
    bool has_station, has_clock, is_printed;
};

static enum intra_status set_option(void *user, int option, const char *value, struct intra_error *err)
{
    struct request *r = user;
    char *end;
    switch (option) {
    case OPT_STATION:
        r->has_station = true;
        return intra_parse_length("--station", value, &r->station_m, err);
    case OPT_CLOCK:
        r->has_clock = true;
        r->clock = strtod(value, &end);
        if (end == value || *end || !(r->clock >= 0 && r->clock <= 12))
            return INTRA_FAIL(err, INTRA_E_ARG, "--clock %s: must be 0 to 12, e.g. --clock 3", value);
        return INTRA_OK;
    case OPT_PRINT:
        r->is_printed = true;
        return INTRA_OK;
    default:
        return INTRA_FAIL(err, INTRA_E_ARG, "option %d is not known", option);
    }
}

/* file:// address of an absolute path: what has a meaning in addresses is written as %XX. */
static enum intra_status address_of(const char *path, const struct request *r, char *out, size_t n,
                                    struct intra_error *err)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    size_t used = (size_t)snprintf(out, n, "file://");
    for (; *path && used + 64 < n; path++)
        used += (size_t)snprintf(out + used, n - used, strchr(plain, *path) ? "%c" : "%%%02X", (unsigned char)*path);
    if (*path) return INTRA_FAIL(err, INTRA_E_ARG, "%.100s...: path is too long", out);
    if (r->has_station) used += (size_t)snprintf(out + used, n - used, "#s=%.3f", r->station_m);
    if (r->has_clock) snprintf(out + used, n - used, "%sclock=%.2f", r->has_station ? "&" : "#", r->clock);
    return INTRA_OK;
}

/* Runs `opener address`, quietly. False where there is no such program or it fails. */
static bool is_opened_by(const char *opener, const char *address)
{
    int status = 0;
    pid_t child = fork();
    if (child < 0) return false;
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null >= 0) dup2(null, STDOUT_FILENO), dup2(null, STDERR_FILENO);
        execlp(opener, opener, address, (char *)NULL);
        _exit(127);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static enum intra_status run_view(const char *project, const struct request *r, struct intra_error *err)
{
    static const char *const openers[] = {"xdg-open", "sensible-browser", "open"};
    enum intra_status status = INTRA_OK;
    char path[1100], address[8192], *absolute = NULL;
    if (intra_path_exists(project) && !intra_path_is_dir(project))
        snprintf(path, sizeof path, "%.1099s", project);
    else
        INTRA_TRY(intra_path_join(path, sizeof path, project, "report.html", err));
    if (!(absolute = realpath(path, NULL)))
        return INTRA_FAIL(err, INTRA_E_IO, "%s: %s%s%s", path, strerror(errno),
                          intra_path_is_dir(project) ? "; make it with: intrados export --format html " : "",
                          intra_path_is_dir(project) ? project : "");
    INTRA_TRY(address_of(absolute, r, address, sizeof address, err));
    if (r->is_printed) {
        printf("%s\n", address);
        goto done;
    }
    for (size_t i = 0; i < sizeof openers / sizeof openers[0]; i++)
        if (is_opened_by(openers[i], address)) goto done;
    status = INTRA_FAIL(err, INTRA_E_UNSUPPORTED, "no program here opens a browser (xdg-open); open this yourself: %s",
                        address);
done:
    free(absolute); /* of realpath, so not core/mem's */
    return status;
}

int intra_cmd_view(int argc, char **argv)
{
    struct intra_error err = {0};
    struct request request = {0};
    int first = 0;
    enum intra_status status = intra_options_parse(&usage, argc, argv, set_option, &request, &first, &err);
    if (status == INTRA_EOF) return INTRA_EXIT_DONE;
    if (status == INTRA_OK && argc - first != 1)
        status = INTRA_FAIL(&err, INTRA_E_ARG,
                            first == argc ? "no project given: the folder that 'intrados reconstruct' made"
                                          : "one project at a time");
    if (status == INTRA_OK) status = run_view(argv[first], &request, &err);
    return status == INTRA_OK ? INTRA_EXIT_DONE : intra_command_fail("view", &err);
}
