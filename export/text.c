#include "export/text.h"

#include "core/mem.h"
#include "core/units.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static bool needs_quotes(const char *text)
{
    size_t n = strlen(text);
    if (n && (text[0] == ' ' || text[n - 1] == ' ')) return true; /* readers trim bare blanks */
    return strpbrk(text, ",\"\r\n") != NULL;
}

static void separate(FILE *stream, int *column)
{
    if ((*column)++) fputc(',', stream);
}

void intra_csv_text(FILE *stream, int *column, const char *text)
{
    separate(stream, column);
    if (!needs_quotes(text)) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text; text++) {
        if (*text == '"') fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

void intra_csv_number(FILE *stream, int *column, double value, int decimals)
{
    char text[64];
    separate(stream, column);
    fputs(intra_text_number(value, decimals, text), stream);
}

void intra_csv_end(FILE *stream, int *column)
{
    fputc('\n', stream);
    *column = 0;
}

char *intra_text_integer(int64_t value, char *out)
{
    char digits[24];
    int n = 0;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[n++] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (value < 0) *out++ = '-';
    while (n)
        *out++ = digits[--n];
    *out = '\0';
    return out;
}

/* Models have a hundred thousand numbers: where scaling leaves no doubt about the last digit, it is found without
 * printf. */
static bool put_scaled(double value, int decimals, char *out)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    if (decimals < 1 || decimals > 6) return false;
    double scaled = fabs(value) * powers[decimals], whole = floor(scaled), rest = scaled - whole;
    if (!(scaled < 1e12) || fabs(rest - 0.5) < 1e-3) return false;
    int64_t digits = (int64_t)whole + (rest > 0.5), power = (int64_t)powers[decimals], fraction = digits % power;
    if (value < 0 && digits) *out++ = '-';
    out = intra_text_integer(digits / power, out);
    *out++ = '.';
    for (power /= 10; power; power /= 10)
        *out++ = (char)('0' + fraction / power % 10);
    *out = '\0';
    return true;
}

const char *intra_text_number(double value, int decimals, char out[64])
{
    bool is_zero = true;
    char *at;
    out[0] = '\0';
    /* 1e20 with 12 decimals still fits; nothing that we measure comes near. */
    if (!isfinite(value) || fabs(value) > 1e20) return out;
    if (put_scaled(value, decimals, out)) return out;
    snprintf(out, 64, "%.*f", decimals, value);
    for (at = out; *at; at++) {
        if (*at >= '1' && *at <= '9') is_zero = false;
        if (*at != '-' && (*at < '0' || *at > '9'))
            *at = '.'; /* the locale's decimal mark, one byte in UTF-8 locales */
    }
    if (is_zero && out[0] == '-') memmove(out, out + 1, strlen(out));
    return out;
}

const char *intra_text_clock(double theta_rad, char out[64])
{
    double clock;
    out[0] = '\0';
    if (!isfinite(theta_rad)) return out;
    /* Rounded before the wrap, so that 12.96 prints as 1.0 and not as 13.0. */
    clock = floor(intra_clock_from_theta(theta_rad) * 10 + 0.5) / 10;
    if (clock > 12.95) clock -= 12;
    return intra_text_number(clock, 1, out);
}

void intra_text_base64(FILE *to, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char line[4096];
    size_t used = 0;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        unsigned v =
            (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
        line[used++] = digits[v >> 18 & 63];
        line[used++] = digits[v >> 12 & 63];
        line[used++] = left > 1 ? digits[v >> 6 & 63] : '=';
        line[used++] = left > 2 ? digits[v & 63] : '=';
        if (used == sizeof line) fwrite(line, 1, used, to), used = 0;
    }
    fwrite(line, 1, used, to);
}

/* Length of the UTF-8 sequence at `s`, 0 where there is none (RFC 3629). */
static size_t sequence_length(const unsigned char *s)
{
    size_t n = s[0] < 0x80                   ? 1
               : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
               : s[0] >= 0xE0 && s[0] < 0xF0 ? 3
               : s[0] >= 0xF0 && s[0] < 0xF5 ? 4
                                             : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if (n == 3 && ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F))) return 0;
    if (n == 4 && ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))) return 0;
    return n;
}

char *intra_text_utf8(const char *from, size_t max_bytes)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    size_t whole = strnlen(from, max_bytes + 1), room = whole > max_bytes ? max_bytes - strlen(ellipsis) : whole,
           used = 0;
    char *out = intra_alloc(whole + sizeof ellipsis, 1);
    if (!out) return NULL;
    for (const char *s = from; *s && used < room;) {
        size_t n = sequence_length((const unsigned char *)s);
        if (used + (n ? n : 1) > room) break;
        if (n == 0) {
            out[used++] = '?';
            s++;
            continue;
        }
        memcpy(out + used, s, n);
        used += n;
        s += n;
    }
    if (whole > max_bytes) {
        memcpy(out + used, ellipsis, strlen(ellipsis));
        used += strlen(ellipsis);
    }
    out[used] = '\0';
    return out;
}
