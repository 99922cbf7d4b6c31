#include "made_mdb.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096, MAPS_PAGE = 1, CATALOG_PAGE = 2, MAX_PAGES = 4096, MAP_BYTES = 5 + MAX_PAGES / 8, OLE = 11 };

struct file {
    uint8_t *pages;
    uint32_t n;
};

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value & 0xffff);
    put16(at + 2, value >> 16);
}

static uint8_t *page_of(const struct file *f, uint32_t page)
{
    return f->pages + (size_t)page * PAGE;
}

static uint32_t add_page(struct file *f, uint8_t kind)
{
    uint8_t *p;
    if (f->n == MAX_PAGES) abort();
    p = page_of(f, f->n);
    p[0] = kind;
    p[1] = 1;
    return f->n++;
}

/* A row into a data page, from its end downwards; 0 when it is full. */
static int add_row(uint8_t *page, const uint8_t *row, size_t n)
{
    unsigned rows = page[12] | page[13] << 8, end = PAGE;
    if (rows) end = (page[12 + 2 * rows] | page[13 + 2 * rows] << 8) & 0x1fff;
    if (14 + 2 * (rows + 1) + n > end) return 0;
    memcpy(page + end - n, row, n);
    put16(page + 14 + 2 * rows, end - (unsigned)n);
    put16(page + 12, rows + 1);
    return 1;
}

static int is_fixed(int type)
{
    return type != MADE_TEXT && type != MADE_MEMO && type != OLE;
}

static unsigned fixed_size(int type)
{
    return type == MADE_BOOL                          ? 0
           : type == MADE_INT                         ? 2
           : type == MADE_LONG || type == MADE_SINGLE ? 4
           : is_fixed(type)                           ? 8
                                                      : 0;
}

/* UTF-8 of up to three bytes a character to UTF-16; bytes written. */
static size_t wide(const char *text, uint8_t *out)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t n = 0;
    while (*p) {
        unsigned c = *p < 0x80   ? *p
                     : *p < 0xe0 ? (*p & 0x1fu) << 6 | (p[1] & 0x3fu)
                                 : (*p & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
        p += *p < 0x80 ? 1 : *p < 0xe0 ? 2 : 3;
        put16(out + n, c);
        n += 2;
    }
    return n;
}

static size_t pack_row(const struct made_mdb_column *columns, int n, const char *const *cells, uint8_t row[PAGE])
{
    size_t at = 2;
    unsigned starts[64], n_var = 0;
    uint8_t mask[32] = {0};
    memset(row, 0, PAGE);
    put16(row, (unsigned)n);
    for (int c = 0; c < n; c++) {
        const char *cell = cells[c];
        double value = cell ? atof(cell) : 0;
        float single = (float)value;
        if (!is_fixed(columns[c].type)) continue;
        if (columns[c].type == MADE_BOOL) {
            if (value != 0) mask[c / 8] |= (uint8_t)(1 << c % 8);
            continue;
        }
        if (cell) mask[c / 8] |= (uint8_t)(1 << c % 8);
        if (columns[c].type == MADE_INT)
            put16(row + at, (unsigned)(int)value & 0xffff);
        else if (columns[c].type == MADE_LONG)
            put32(row + at, (uint32_t)(int64_t)value);
        else if (columns[c].type == MADE_SINGLE)
            memcpy(row + at, &single, 4);
        else
            memcpy(row + at, &value, 8);
        at += fixed_size(columns[c].type);
    }
    for (int c = 0; c < n; c++) {
        if (is_fixed(columns[c].type)) continue;
        starts[n_var++] = (unsigned)at;
        if (!cells[c]) continue;
        mask[c / 8] |= (uint8_t)(1 << c % 8);
        if (columns[c].type == MADE_MEMO) {
            size_t size = wide(cells[c], row + at + 12);
            put32(row + at, (uint32_t)size | 0x80000000u); /* it stands right here */
            at += 12 + size;
        } else {
            at += wide(cells[c], row + at);
        }
    }
    starts[n_var] = (unsigned)at;
    for (unsigned i = n_var + 1; i-- > 0; at += 2)
        put16(row + at, starts[i]);
    put16(row + at, n_var);
    at += 2;
    memcpy(row + at, mask, (size_t)(n + 7) / 8);
    return at + (size_t)(n + 7) / 8;
}

/* The definition of a table on its page, whose used pages are row `map` of the page of maps. */
static void define(uint8_t *p, const struct made_mdb_column *columns, int n, int n_rows, unsigned map)
{
    size_t at = 63;
    unsigned n_var = 0, fixed = 0;
    put32(p + 16, (uint32_t)n_rows);
    p[40] = 0x4e;
    for (int c = 0; c < n; c++, at += 25) {
        uint8_t *d = p + at;
        int type = columns[c].type;
        d[0] = (uint8_t)type;
        put16(d + 5, (unsigned)c);
        put16(d + 9, (unsigned)c);
        put16(d + 7, n_var);
        d[15] = (uint8_t)(2 | is_fixed(type));
        if (is_fixed(type)) {
            put16(d + 21, fixed);
            put16(d + 23, fixed_size(type));
            fixed += fixed_size(type);
        } else {
            n_var++;
            put16(d + 23, type == MADE_TEXT ? 510 : 0);
        }
    }
    put16(p + 41, (unsigned)n);
    put16(p + 43, n_var);
    put16(p + 45, (unsigned)n);
    put32(p + 55, MAPS_PAGE << 8 | map);
    put32(p + 59, MAPS_PAGE << 8);
    for (int c = 0; c < n; c++) {
        uint8_t name[512];
        size_t size = wide(columns[c].name, name);
        if (at + 2 + size > PAGE) abort();
        put16(p + at, (unsigned)size);
        memcpy(p + at + 2, name, size);
        at += 2 + size;
    }
    put32(p + 8, (uint32_t)at);
}

static void fill(struct file *f, uint32_t table_page, const struct made_mdb_column *columns, int n,
                 const char *const *cells, int n_rows, uint8_t map[MAP_BYTES])
{
    uint32_t page = 0;
    for (int r = 0; r < n_rows; r++) {
        uint8_t row[PAGE];
        size_t size = pack_row(columns, n, cells + (size_t)r * (size_t)n, row);
        if (page && add_row(page_of(f, page), row, size)) continue;
        page = add_page(f, 1);
        put32(page_of(f, page) + 4, table_page);
        map[5 + page / 8] |= (uint8_t)(1 << page % 8);
        if (!add_row(page_of(f, page), row, size)) abort();
    }
}

/* The head is scrambled by RC4 with a fixed key: what means zero is the key stream itself. */
static void put_head(uint8_t *p, int is_2007)
{
    static const uint8_t key[4] = {0xc7, 0xda, 0x39, 0x6b};
    uint8_t s[256], j = 0, i = 0;
    memcpy(p, "\0\1\0\0", 4);
    memcpy(p + 4, is_2007 ? "Standard ACE DB" : "Standard Jet DB", 16);
    p[0x14] = is_2007 ? 2 : 1;
    for (int k = 0; k < 256; k++)
        s[k] = (uint8_t)k;
    for (int k = 0; k < 256; k++) {
        uint8_t t = s[k];
        j = (uint8_t)(j + t + key[k % 4]);
        s[k] = s[j];
        s[j] = t;
    }
    j = 0;
    for (int k = 0; k < 128; k++) {
        uint8_t t;
        t = s[++i];
        j = (uint8_t)(j + t);
        s[i] = s[j];
        s[j] = t;
        p[0x18 + k] = s[(uint8_t)(s[i] + s[j])];
    }
}

void made_mdb_write(const char *path, const struct made_mdb_table *tables, int n, int is_2007)
{
    static const struct made_mdb_column catalog[] = {{"Id", MADE_LONG},    {"ParentId", MADE_LONG},
                                                     {"Name", MADE_TEXT},  {"Type", MADE_INT},
                                                     {"Flags", MADE_LONG}, {"LvProp", (enum made_mdb_type)OLE}};
    enum { N_CATALOG = 6, MAX_TABLES = 7 };
    struct file f = {calloc(MAX_PAGES, PAGE), 0};
    uint8_t maps[MAX_TABLES + 1][MAP_BYTES] = {{0}}, none[MAP_BYTES] = {0};
    const char *rows[MAX_TABLES][N_CATALOG] = {{NULL}};
    char ids[MAX_TABLES][16];
    uint32_t at[MAX_TABLES];
    FILE *out = fopen(path, "wb");
    if (n > MAX_TABLES || !f.pages || !out) abort();
    add_page(&f, 0);
    add_page(&f, 1);
    add_page(&f, 2);
    put_head(page_of(&f, 0), is_2007);
    for (int i = 0; i < n; i++) {
        at[i] = add_page(&f, 2);
        define(page_of(&f, at[i]), tables[i].columns, tables[i].n_columns, tables[i].n_rows, (unsigned)i + 2);
        snprintf(ids[i], sizeof ids[i], "%u", (unsigned)at[i]);
        const char *const row[N_CATALOG] = {ids[i], "251658241", tables[i].name, "1", "0", NULL};
        memcpy(rows[i], row, sizeof row);
    }
    define(page_of(&f, CATALOG_PAGE), catalog, N_CATALOG, n, 1);
    fill(&f, CATALOG_PAGE, catalog, N_CATALOG, &rows[0][0], n, maps[0]);
    for (int i = 0; i < n; i++)
        fill(&f, at[i], tables[i].columns, tables[i].n_columns, tables[i].cells, tables[i].n_rows, maps[i + 1]);
    add_row(page_of(&f, MAPS_PAGE), none, 69); /* no page has room */
    for (int i = 0; i <= n; i++)
        if (!add_row(page_of(&f, MAPS_PAGE), maps[i], n > 5 ? 133 : MAP_BYTES)) abort();
    if (fwrite(f.pages, PAGE, f.n, out) != f.n || fclose(out) != 0) abort();
    free(f.pages);
}

void made_mdb_pipe(const char *path, int version)
{
    static const struct made_mdb_column inspections[2][14] = {{{"InspectionID", MADE_LONG},
                                                               {"Surveyed_By", MADE_TEXT},
                                                               {"Date", MADE_DATE},
                                                               {"Time", MADE_DATE},
                                                               {"Direction", MADE_TEXT},
                                                               {"Height", MADE_INT},
                                                               {"Shape", MADE_TEXT},
                                                               {"Material", MADE_TEXT},
                                                               {"IsImperial", MADE_BOOL},
                                                               {"Pipe_Segment_Reference", MADE_TEXT},
                                                               {"Upstream_MH", MADE_TEXT},
                                                               {"Downstream_MH", MADE_TEXT},
                                                               {"Total_Length", MADE_DOUBLE},
                                                               {"Additional_Info", MADE_MEMO}},
                                                              {{"InspectionID", MADE_LONG},
                                                               {"Surveyed_By", MADE_TEXT},
                                                               {"Inspection_Date", MADE_DATE},
                                                               {"Inspection_Time", MADE_DATE},
                                                               {"Direction", MADE_TEXT},
                                                               {"Height", MADE_INT},
                                                               {"Shape", MADE_TEXT},
                                                               {"Material", MADE_TEXT},
                                                               {"IsImperial", MADE_BOOL},
                                                               {"Pipe_Segment_Reference", MADE_TEXT},
                                                               {"Upstream_MH", MADE_TEXT},
                                                               {"Downstream_MH", MADE_TEXT},
                                                               {"Total_Length", MADE_DOUBLE},
                                                               {"Additional_Info", MADE_MEMO}}};
    static const struct made_mdb_column conditions[] = {
        {"ConditionID", MADE_LONG},  {"InspectionID", MADE_LONG}, {"Distance", MADE_DOUBLE},
        {"PACP_Code", MADE_TEXT},    {"Continuous", MADE_TEXT},   {"Value_1st_Dimension", MADE_SINGLE},
        {"Value_Percent", MADE_INT}, {"Joint", MADE_BOOL},        {"Clock_At_From", MADE_INT},
        {"Clock_To", MADE_INT},      {"Remarks", MADE_TEXT},      {"VCR_Time", MADE_TEXT}};
    static const struct made_mdb_column videos[] = {
        {"MediaID", MADE_LONG}, {"InspectionID", MADE_LONG}, {"Video_Name", MADE_TEXT}};
    static const struct made_mdb_column pictures[] = {
        {"MediaID", MADE_LONG}, {"ConditionID", MADE_LONG}, {"Image_Name", MADE_TEXT}};
    /* 45000 is 2023-03-15 */
    static const char *const a[] = {
        "7",     "T. \xc3\x96ster",        "45000", "0.375", "U", "12", "C", "VCP", "1", "L-9", "N1", "N2",
        "100.5", "third \xe2\x82\xac note"};
    static const char *const b[] = {"1",
                                    "7",
                                    "0",
                                    "AMH",
                                    NULL,
                                    NULL,
                                    NULL,
                                    "0",
                                    NULL,
                                    NULL,
                                    "N2",
                                    "00:00:02",
                                    "2",
                                    "7",
                                    "10",
                                    "CL",
                                    "S01",
                                    NULL,
                                    NULL,
                                    "0",
                                    "12",
                                    NULL,
                                    "along",
                                    "00:01:02",
                                    "3",
                                    "7",
                                    "20.5",
                                    "CL",
                                    "F01",
                                    NULL,
                                    NULL,
                                    "0",
                                    "12",
                                    NULL,
                                    NULL,
                                    "00:01:30",
                                    "4",
                                    "7",
                                    "31.2",
                                    "RFJ",
                                    NULL,
                                    "1.25",
                                    "15",
                                    "1",
                                    "10",
                                    "2",
                                    "<script>alert(1)</script>",
                                    "130",
                                    "5",
                                    "99",
                                    "1",
                                    "CL",
                                    NULL,
                                    NULL,
                                    NULL,
                                    "0",
                                    NULL,
                                    NULL,
                                    "of no inspection",
                                    NULL};
    static const char *const c[] = {"1", "7", "l9.mpg"};
    static const char *const d[] = {"1", "4", "root.jpg"};
    const struct made_mdb_table tables[] = {
        {version == 7 ? "PACP_Inspections" : "Inspections", inspections[version == 7], 14, a, 1},
        {version == 7 ? "PACP_Conditions" : "Conditions", conditions, 12, b, 5},
        {version == 7 ? "PACP_Media_Inspections" : "Media_Inspections", videos, 3, c, 1},
        {version == 7 ? "PACP_Media_Conditions" : "Media_Conditions", pictures, 3, d, 1}};
    made_mdb_write(path, tables, 4, 0);
}
