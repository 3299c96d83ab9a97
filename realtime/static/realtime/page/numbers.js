/** Numbers with their nouns. */

const format = new Intl.NumberFormat();

/** `1 thing`, `2 things`; `many` where that is no s. */
export const counted = (count, one, many = `${one}s`) => `${format.format(count)} ${count === 1 ? one : many}`;

/** What is said of a text that is `excess` characters longer than `most`; "" of one that is not. */
export const tooMany = (excess, most) => (excess > 0 ? `${counted(excess, "character")} too many: at most ${format.format(most)} go in one message.` : "");
