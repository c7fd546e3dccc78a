import { startPage } from "/assets/page.js";

startPage();
