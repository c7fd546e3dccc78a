// Rows in order, each with its height. Where a row lies, and which row lies where, is found without going through them
// all: they are kept in blocks, and each block knows the sum of its heights.

const largestBlock = 512;

export class OrderedRows {
    #blocks = [];  // {rows, known: sum of the heights that are known, unknown: rows without}, none of them empty
    #byID = new Map();

    /// The height of a row that nobody has seen yet, in pixels.
    estimate = 0;

    get size() {
        return this.#byID.size;
    }

    get(id) {
        return this.#byID.get(id);
    }

    /// Puts a row in its place, by `order` and then by `id`, or gives the one that is there a new value.
    put(id, order, value) {
        const present = this.#byID.get(id);
        if (present) {
            present.value = value;
            return;
        }
        const row = { id, order, value, height: 0, block: null };
        this.#byID.set(id, row);
        const block = this.#blocks[this.#blockFor(row)] ?? this.#firstBlock();
        block.rows.splice(placeIn(block.rows, row), 0, row);
        block.unknown += 1;
        row.block = block;
        if (block.rows.length > largestBlock) this.#split(block);
    }

    remove(id) {
        const row = this.#byID.get(id);
        if (!row) return;
        this.#byID.delete(id);
        const { block } = row;
        block.rows.splice(placeIn(block.rows, row), 1);
        if (row.height) block.known -= row.height;
        else block.unknown -= 1;
        if (block.rows.length === 0) this.#blocks.splice(this.#blocks.indexOf(block), 1);
    }

    clear() {
        this.#blocks = [];
        this.#byID.clear();
    }

    setHeight(id, height) {
        const row = this.#byID.get(id);
        if (!row || row.height === height) return;
        if (row.height) row.block.known -= row.height;
        else row.block.unknown -= 1;
        row.height = height;
        if (height) row.block.known += height;
        else row.block.unknown += 1;
    }

    /// All rows have another width now.
    forgetHeights() {
        for (const row of this.#byID.values()) row.height = 0;
        for (const block of this.#blocks) Object.assign(block, { known: 0, unknown: block.rows.length });
    }

    indexOf(id) {
        const row = this.#byID.get(id);
        if (!row) return -1;
        let index = placeIn(row.block.rows, row);
        for (const block of this.#blocks) {
            if (block === row.block) return index;
            index += block.rows.length;
        }
        return -1;
    }

    at(index) {
        let rest = index;
        for (const { rows } of this.#blocks) {
            if (rest < rows.length) return rows[rest];
            rest -= rows.length;
        }
        return undefined;
    }

    /// The sum of the heights of the rows before this one; with the number of rows, of all.
    offsetOf(index) {
        let [rest, offset] = [index, 0];
        for (const block of this.#blocks) {
            if (rest >= block.rows.length) {
                rest -= block.rows.length;
                offset += this.#heightOf(block);
                continue;
            }
            for (let place = 0; place < rest; place += 1) offset += block.rows[place].height || this.estimate;
            break;
        }
        return offset;
    }

    /// The row that lies so far down; the first or the last one for what lies outside.
    indexAt(offset) {
        let [rest, index] = [Math.max(offset, 0), 0];
        for (const block of this.#blocks) {
            const height = this.#heightOf(block);
            if (rest >= height) {
                rest -= height;
                index += block.rows.length;
                continue;
            }
            for (const row of block.rows) {
                rest -= row.height || this.estimate;
                if (rest < 0) return index;
                index += 1;
            }
        }
        return Math.max(Math.min(index, this.size - 1), 0);
    }

    #heightOf(block) {
        return block.known + block.unknown * this.estimate;
    }

    #firstBlock() {
        const block = { rows: [], known: 0, unknown: 0 };
        this.#blocks.push(block);
        return block;
    }

    /// The last block that does not begin after the row.
    #blockFor(row) {
        let [low, high] = [0, this.#blocks.length - 1];
        while (low < high) {
            const middle = Math.ceil((low + high) / 2);
            if (compare(this.#blocks[middle].rows[0], row) <= 0) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    #split(block) {
        const rows = block.rows.splice(block.rows.length / 2);
        const next = { rows, known: 0, unknown: 0 };
        for (const row of rows) {
            row.block = next;
            next.known += row.height;
            if (!row.height) next.unknown += 1;
        }
        block.known -= next.known;
        block.unknown -= next.unknown;
        this.#blocks.splice(this.#blocks.indexOf(block) + 1, 0, next);
    }
}

function compare(one, other) {
    if (one.order !== other.order) return one.order - other.order;
    if (one.id === other.id) return 0;
    return one.id < other.id ? -1 : 1;
}

/// Where the row is among these, or belongs.
function placeIn(rows, row) {
    let [low, high] = [0, rows.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if (compare(rows[middle], row) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}
