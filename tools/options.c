#include "tools/options.h"

#include "tools/commands.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { OPTIONS_MAX = 64, OPTION_HELP = 1000, OPTION_BASE = 2000, WORD_MAX = 40 };

/* Edits between two words: insert, drop, change, swap neighbours (Damerau 1964, optimal string alignment). */
static int word_distance(const char *a, const char *b)
{
    int d[WORD_MAX + 1][WORD_MAX + 1];
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > WORD_MAX || m > WORD_MAX) return WORD_MAX;
    for (int i = 0; i <= n; i++)
        d[i][0] = i;
    for (int j = 0; j <= m; j++)
        d[0][j] = j;
    for (int i = 1; i <= n; i++) {
        for (int j = 1; j <= m; j++) {
            int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best) best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best) best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    }
    return d[n][m];
}

const char *intra_nearest_word(const char *text, const char *const *words, int n)
{
    const char *best = NULL;
    int length = (int)strlen(text), limit = length < 4 ? 1 : length < 8 ? 2 : 3;
    for (int i = 0; i < n; i++)
        if (length >= 3 && strncmp(words[i], text, (size_t)length) == 0) return words[i];
    for (int i = 0; i < n; i++) {
        int d = word_distance(text, words[i]);
        if (d <= limit) {
            limit = d - 1;
            best = words[i];
        }
    }
    return best;
}

void intra_usage_print(const struct intra_usage *usage)
{
    printf("Usage: intrados %s %s [OPTION]...\n%s\n\n", usage->command, usage->arguments, usage->summary);
    for (int i = 0; i <= usage->n_options; i++) {
        static const struct intra_option help_option = {"help", 'h', NULL, "this text"};
        const struct intra_option *o = i < usage->n_options ? &usage->options[i] : &help_option;
        char head[80];
        char letter[8] = "    ";
        const char *line = o->help;
        if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
        snprintf(head, sizeof head, "  %s--%s%s%s", letter, o->name, o->value ? " " : "", o->value ? o->value : "");
        printf("%-30s%s", head, strlen(head) >= 30 ? "\n                              " : "");
        for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
            printf("%.*s\n                              ", (int)(end - line), line);
        printf("%s\n", line);
    }
    printf("\nExample:\n  %s\n", usage->example);
}

static enum intra_status unknown_option(const struct intra_usage *usage, const char *text, struct intra_error *err)
{
    const char *names[OPTIONS_MAX + 1];
    const char *start = text, *near, *found[2];
    char word[WORD_MAX + 1];
    size_t length;
    int n_found = 0;
    while (*start == '-')
        start++;
    length = strcspn(start, "=");
    snprintf(word, sizeof word, "%.*s", (int)length, start);
    for (int i = 0; i < usage->n_options; i++) {
        names[i] = usage->options[i].name;
        if (length && length <= WORD_MAX && strncmp(names[i], word, length) == 0 && n_found < 2)
            found[n_found++] = names[i];
    }
    names[usage->n_options] = "help";
    if (n_found == 2)
        return INTRA_FAIL(err, INTRA_E_ARG, "'--%s' could be '--%s' or '--%s'; write it out", word, found[0], found[1]);
    near = intra_nearest_word(word, names, usage->n_options + 1);
    if (near) return INTRA_FAIL(err, INTRA_E_ARG, "unknown option '%s'; did you mean '--%s'?", text, near);
    return INTRA_FAIL(err, INTRA_E_ARG, "unknown option '%s'", text);
}

enum intra_status intra_options_parse(const struct intra_usage *usage, int argc, char **argv, intra_option_set *set,
                                      void *user, int *out_first, struct intra_error *err)
{
    struct option longs[OPTIONS_MAX + 2];
    char shorts[2 * OPTIONS_MAX + 8] = ":h";
    size_t n_shorts = strlen(shorts);
    int n = usage->n_options < OPTIONS_MAX ? usage->n_options : OPTIONS_MAX, got;

    memset(longs, 0, sizeof longs);
    for (int i = 0; i < n; i++) {
        longs[i].name = usage->options[i].name;
        longs[i].has_arg = usage->options[i].value ? required_argument : no_argument;
        longs[i].val = OPTION_BASE + i;
        if (!usage->options[i].letter) continue;
        shorts[n_shorts++] = usage->options[i].letter;
        if (usage->options[i].value) shorts[n_shorts++] = ':';
    }
    shorts[n_shorts] = 0;
    longs[n].name = "help";
    longs[n].val = OPTION_HELP;

    optind = 0;
    opterr = 0;
    while ((got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        int option = got - OPTION_BASE;
        if (got == OPTION_HELP || got == 'h') {
            intra_usage_print(usage);
            return INTRA_EOF;
        }
        if (got == ':') return INTRA_FAIL(err, INTRA_E_ARG, "'%s' wants a value after it", argv[optind - 1]);
        if (got == '?') {
            if (optopt >= OPTION_BASE || optopt == OPTION_HELP)
                return INTRA_FAIL(err, INTRA_E_ARG, "'%s': this option takes no value", argv[optind - 1]);
            if (optopt) return INTRA_FAIL(err, INTRA_E_ARG, "unknown option '-%c'", optopt);
            return unknown_option(usage, argv[optind - 1], err);
        }
        if (option < 0)
            for (option = 0; option < n && usage->options[option].letter != got;)
                option++;
        if (set(user, option, optarg, err) != INTRA_OK) return INTRA_E_ARG;
    }
    *out_first = optind;
    return INTRA_OK;
}

int intra_command_fail(const char *command, const struct intra_error *err)
{
    fprintf(stderr, "intrados: %s\n", err->text);
    if (err->code != INTRA_E_ARG) return INTRA_EXIT_FAILED;
    fprintf(stderr, "Try 'intrados %s%s--help'.\n", command, *command ? " " : "");
    return INTRA_EXIT_USAGE;
}
