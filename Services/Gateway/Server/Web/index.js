import { startPage } from "/assets/page.js";
import { showService } from "/assets/service.js";

startPage();
showService();
