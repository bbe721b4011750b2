/* pieces.h - the blocks of a document that stand by themselves, as pieces of a text
 * with their place in its layout: blocks.c's other half. Not for others. */
#ifndef PIECES_H
#define PIECES_H

#include "rec.h"
#include "text/blocks.h"

/* A blank line; returns where the piece begins. */
size_t piece_begin(struct blocks *b);
/* Ends the piece that was begun at from; where nothing came, there is none. */
void piece_end(struct blocks *b, size_t from, uint32_t page, enum layout_kind kind, size_t head);

void piece_table(struct blocks *b, const struct rec *item, uint32_t page);
void piece_figure(struct blocks *b, const struct rec *item, uint32_t page);
void piece_code(struct blocks *b, const struct rec *item, uint32_t page);
void piece_list(struct blocks *b, const struct rec *item, uint32_t page);

#endif
