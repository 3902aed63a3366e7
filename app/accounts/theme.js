// @ts-check
// The log-in page in the colours that the app was last seen in; without a choice, in the system's.

const chosen = new URL(location.href).searchParams.get("__theme") || localStorage.getItem("synthaug.theme");
const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.classList.toggle("dark", dark);
