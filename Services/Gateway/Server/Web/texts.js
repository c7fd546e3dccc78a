// Every text of the pages, by language.
import { en } from "/assets/texts-en.js";
import { sv } from "/assets/texts-sv.js";

export const texts = { sv, en };
