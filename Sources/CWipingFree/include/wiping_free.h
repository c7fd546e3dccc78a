#ifndef WIPING_FREE_H
#define WIPING_FREE_H

/// Whether memory is wiped as it is freed: 1, or 0 in a build with a sanitizer, which has a free() of its own.
///
/// Keys, names and texts pass through buffers that nobody owns to the end: of the network, of the decoder, of strings.
/// A program that links this module overwrites every block with zeros in free(3), and the old block when realloc(3)
/// moves one, so that what is freed is in nobody's memory.
int samtal_wipes_freed_memory(void);

#endif
