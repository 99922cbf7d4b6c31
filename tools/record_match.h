/* Which inspection of a record a video shows, by the text burnt into it. Pure: no video, no files. */
#ifndef INTRA_TOOLS_RECORD_MATCH_H
#define INTRA_TOOLS_RECORD_MATCH_H

#include "core/inspection.h"

/* The one inspection that the text of `n_looks` pictures of a video names; -1: none, or more than one.
 *
 *   looks       lines of text as read, letters mistaken now and then; a name counts when two looks have it (or the only
 *               one there is)
 *   diameter_m  of the pipe in the video; NaN: not known
 *
 * Named is an inspection by both of its nodes, or by its pipe (three letters and digits at least, a digit among them).
 * A date in the text that is not its own, or a height that is not the diameter, speaks against it. Where several are
 * named, one must have all that the others have and more: another name, or the date. out_why: what was found, in words.
 */
int64_t intra_record_match(const char *const *looks, int n_looks, double diameter_m, const struct intra_record *record,
                           char *out_why, size_t n_why);

#endif
