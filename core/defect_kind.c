/* Codes to kinds. The longest prefix that fits decides, so that "BAJ" need not know of "BA". */
#include "core/defect_kind.h"

#include <string.h>
#include <strings.h>

struct prefix {
    const char *code;
    enum intra_defect_kind kind;
};

static const struct prefix pacp[] = {
    {"CC", INTRA_DEFECT_CRACK},    {"CL", INTRA_DEFECT_CRACK},    {"CM", INTRA_DEFECT_CRACK},
    {"CS", INTRA_DEFECT_CRACK},    {"CH", INTRA_DEFECT_CRACK},    {"FC", INTRA_DEFECT_CRACK},
    {"FL", INTRA_DEFECT_CRACK},    {"FM", INTRA_DEFECT_CRACK},    {"FS", INTRA_DEFECT_CRACK},
    {"FH", INTRA_DEFECT_CRACK},    {"B", INTRA_DEFECT_HOLE},      {"H", INTRA_DEFECT_HOLE},
    {"X", INTRA_DEFECT_OTHER},     {"DA", INTRA_DEFECT_DEPOSIT},  {"DS", INTRA_DEFECT_DEPOSIT},
    {"DN", INTRA_DEFECT_DEPOSIT},  {"DR", INTRA_DEFECT_SHAPE},    {"DF", INTRA_DEFECT_SHAPE},
    {"DT", INTRA_DEFECT_SHAPE},    {"D", INTRA_DEFECT_OTHER},     {"JO", INTRA_DEFECT_JOINT},
    {"JS", INTRA_DEFECT_JOINT},    {"JA", INTRA_DEFECT_JOINT},    {"RF", INTRA_DEFECT_ROOT},
    {"RT", INTRA_DEFECT_ROOT},     {"RM", INTRA_DEFECT_ROOT},     {"RB", INTRA_DEFECT_ROOT},
    {"TF", INTRA_DEFECT_LATERAL},  {"TB", INTRA_DEFECT_LATERAL},  {"TS", INTRA_DEFECT_LATERAL},
    {"TR", INTRA_DEFECT_LATERAL},  {"SRI", INTRA_DEFECT_SURFACE}, {"SSS", INTRA_DEFECT_SURFACE},
    {"SSC", INTRA_DEFECT_SURFACE}, {"SA", INTRA_DEFECT_SURFACE},  {"SR", INTRA_DEFECT_SURFACE},
    {"SMW", INTRA_DEFECT_SURFACE}, {"SCP", INTRA_DEFECT_SURFACE}};

static const struct prefix en[] = {
    {"BAA", INTRA_DEFECT_SHAPE},   {"BAB", INTRA_DEFECT_CRACK},   {"BAC", INTRA_DEFECT_HOLE},
    {"BAF", INTRA_DEFECT_SURFACE}, {"BAG", INTRA_DEFECT_LATERAL}, {"BAH", INTRA_DEFECT_LATERAL},
    {"BAJ", INTRA_DEFECT_JOINT},   {"BBA", INTRA_DEFECT_ROOT},    {"BBB", INTRA_DEFECT_DEPOSIT},
    {"BBC", INTRA_DEFECT_DEPOSIT}, {"BCA", INTRA_DEFECT_LATERAL}};

static const struct prefix mscc[] = {
    {"CL", INTRA_DEFECT_CRACK},   {"CC", INTRA_DEFECT_CRACK},   {"CM", INTRA_DEFECT_CRACK},
    {"CS", INTRA_DEFECT_CRACK},   {"FL", INTRA_DEFECT_CRACK},   {"FC", INTRA_DEFECT_CRACK},
    {"FM", INTRA_DEFECT_CRACK},   {"FS", INTRA_DEFECT_CRACK},   {"B", INTRA_DEFECT_HOLE},
    {"H", INTRA_DEFECT_HOLE},     {"RF", INTRA_DEFECT_ROOT},    {"RT", INTRA_DEFECT_ROOT},
    {"RM", INTRA_DEFECT_ROOT},    {"DE", INTRA_DEFECT_DEPOSIT}, {"OJ", INTRA_DEFECT_JOINT},
    {"JD", INTRA_DEFECT_JOINT},   {"JN", INTRA_DEFECT_LATERAL}, {"JX", INTRA_DEFECT_LATERAL},
    {"CN", INTRA_DEFECT_LATERAL}, {"CX", INTRA_DEFECT_LATERAL}, {"SA", INTRA_DEFECT_SURFACE},
    {"SW", INTRA_DEFECT_SURFACE}, {"SS", INTRA_DEFECT_SURFACE}, {"D", INTRA_DEFECT_SHAPE}};

/* Words of own labels, looked for anywhere in the label. */
static const struct prefix words[] = {
    {"crack", INTRA_DEFECT_CRACK},      {"fracture", INTRA_DEFECT_CRACK},    {"riss", INTRA_DEFECT_CRACK},
    {"fissure", INTRA_DEFECT_CRACK},    {"scheur", INTRA_DEFECT_CRACK},      {"hole", INTRA_DEFECT_HOLE},
    {"broken", INTRA_DEFECT_HOLE},      {"break", INTRA_DEFECT_HOLE},        {"missing wall", INTRA_DEFECT_HOLE},
    {"loch", INTRA_DEFECT_HOLE},        {"trou", INTRA_DEFECT_HOLE},         {"root", INTRA_DEFECT_ROOT},
    {"wurzel", INTRA_DEFECT_ROOT},      {"racine", INTRA_DEFECT_ROOT},       {"wortel", INTRA_DEFECT_ROOT},
    {"deposit", INTRA_DEFECT_DEPOSIT},  {"encrust", INTRA_DEFECT_DEPOSIT},   {"sediment", INTRA_DEFECT_DEPOSIT},
    {"ablager", INTRA_DEFECT_DEPOSIT},  {"lateral", INTRA_DEFECT_LATERAL},   {"connection", INTRA_DEFECT_LATERAL},
    {"junction", INTRA_DEFECT_LATERAL}, {"anschluss", INTRA_DEFECT_LATERAL}, {"branchement", INTRA_DEFECT_LATERAL},
    {"inlaat", INTRA_DEFECT_LATERAL},   {"tap", INTRA_DEFECT_LATERAL},       {"joint", INTRA_DEFECT_JOINT},
    {"muffe", INTRA_DEFECT_JOINT},      {"corrosion", INTRA_DEFECT_SURFACE}, {"surface", INTRA_DEFECT_SURFACE},
    {"spalling", INTRA_DEFECT_SURFACE}, {"deform", INTRA_DEFECT_SHAPE}};

const char *intra_defect_kind_name(enum intra_defect_kind kind)
{
    static const char *const names[INTRA_DEFECT_N_KINDS] = {"other", "crack",   "hole",    "deposit", "root",
                                                            "joint", "lateral", "surface", "shape"};
    return kind >= 0 && kind < INTRA_DEFECT_N_KINDS ? names[kind] : "other";
}

static enum intra_defect_kind by_prefix(const struct prefix *table, size_t n, const char *code)
{
    enum intra_defect_kind best = INTRA_DEFECT_OTHER;
    size_t longest = 0;
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(table[i].code);
        if (length > longest && strncasecmp(table[i].code, code, length) == 0) {
            longest = length;
            best = table[i].kind;
        }
    }
    return best;
}

static enum intra_defect_kind by_word(const char *label)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (const char *at = label; *at; at++)
            if (strncasecmp(at, words[i].code, strlen(words[i].code)) == 0) return words[i].kind;
    return INTRA_DEFECT_OTHER;
}

enum intra_defect_kind intra_defect_kind_of(enum intra_code_system system, const char *code)
{
    if (!code || !*code) return INTRA_DEFECT_OTHER;
    switch (system) {
    case INTRA_CODES_PACP:
        return by_prefix(pacp, sizeof pacp / sizeof *pacp, code);
    case INTRA_CODES_EN13508_2:
    case INTRA_CODES_WSAA:
        return by_prefix(en, sizeof en / sizeof *en, code);
    case INTRA_CODES_MSCC:
        return by_prefix(mscc, sizeof mscc / sizeof *mscc, code);
    case INTRA_CODES_OWN:
    case INTRA_CODES_UNKNOWN:
        break;
    }
    enum intra_defect_kind kind = by_prefix(en, sizeof en / sizeof *en, code);
    return kind != INTRA_DEFECT_OTHER ? kind : by_word(code);
}

bool intra_defect_is_structural(enum intra_defect_kind kind)
{
    return kind == INTRA_DEFECT_CRACK || kind == INTRA_DEFECT_HOLE || kind == INTRA_DEFECT_JOINT ||
           kind == INTRA_DEFECT_SURFACE || kind == INTRA_DEFECT_SHAPE;
}
