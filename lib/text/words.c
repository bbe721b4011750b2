#include "text/words.h"

const struct words_lang words_langs[WORDS_LANGS] = {
	{ "en", "the of and to in is that for it was with as on be by this are from at or an have not which but "
	    "his they you were has their been will can all would more when there if your", "" },
	{ "de", "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden "
	    "aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder "
	    "aber vor zur bis mehr durch wenn", "ßäöü" },
	{ "fr", "de la le et les des en un du une que est pour qui dans par plus pas au sur ne se ce il sont avec "
	    "son aux ou elle cette comme nous mais sa ses leur être fait été vous ont", "çéèêàùœ" },
	{ "es", "de la que el en y a los se del las un por con una su para es al lo como más o pero sus le ha me sin "
	    "sobre este ya entre cuando todo esta ser son también fue había era muy", "ñ¿¡áíóú" },
	{ "it", "di che e la il un a è per in una sono mi ho non ma lo ha le si con i da se come io questo qui hai "
	    "del della nel più gli dei alla dal anche delle degli nella essere stato", "èàòùì" },
	{ "pt", "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem "
	    "à seu sua ou ser quando muito há nos já está também só pelo pela até", "ãõçâê" },
	{ "nl", "de en van ik te dat die in een hij het niet zijn is was op aan met als voor had er maar om hem dan "
	    "zou of wat mijn men dit zo door over ze zich bij ook tot je mij uit der naar heeft worden werd", "" },
	{ "pl", "i w na z do się nie jest że to o a jak po ale co za od tak przez dla jego ich tym był może już czy "
	    "przy oraz tylko jej są było być które który która tego", "łżźśćąęńó" },
	{ "cs", "a v se na je že s z do o k i ve to pro za by ale si po jako jsem nebo od byl která který které jsou "
	    "při až jeho bylo jak tak už podle své být", "řěůčšžýťď" },
	{ "sv", "och i att det som en på är av för med den till inte om ett han de var jag från vi så kan när nu men "
	    "man hade har sig skulle eller vid ut efter där också", "åäö" },
	{ "da", "og i at det er en til af på som den for med de ikke han der et har om jeg var fra sig ved men vi kan "
	    "havde man eller efter blev også skal hvad meget nogle hvor bliver mig", "æøå" },
	{ "no", "og i det at er en til av på som den for med de ikke han et har om jeg var fra seg ved men vi kan "
	    "hadde man eller etter ble også skal hva mye noen hvor blir meg fikk", "æøå" },
	{ "fi", "ja on ei se että oli hän mutta ovat joka kun niin myös tai sen jos kuin mitä minä nyt olen vain ole "
	    "tämä hänen sitä jo sekä siitä ollut voi mukaan kanssa jälkeen joita", "äö" },
	{ "tr", "ve bir bu da de için ile çok ne ben daha gibi olarak en var sonra kadar olan o ama her mi değil ki "
	    "diye ise şey değildir tarafından veya", "ğışçöü" },
	{ "hu", "a az és hogy nem is egy ez meg csak már de volt mint van el még ha mert ki azt aki vagy lehet kell "
	    "után pedig minden sem ezt szerint", "őűáéíóöü" },
	{ "ro", "și de în a la cu nu o că pe este din un pentru mai se sunt care au fost prin sau ce fi după dar "
	    "lui între am cel le ale", "ășțîâ" },
	{ "ca", "de la i el que a en les un per del una els amb es al no va ser dels més ha com al seu aquest aquesta "
	    "són fou però també han pel entre tots fins està aquests molt quan sobre", "çàèéíïòóú" },
	{ "lt", "ir yra kad į iš su tai bet kaip buvo ar nuo tik jo jų už o dėl apie po arba taip prie pagal per "
	    "jis savo kuri kurie būti gali buvo šis", "ąčęėįšųūž" },
	{ "id", "yang dan di dari untuk dengan ini itu adalah pada dalam tidak ke oleh sebagai telah akan juga "
	    "atau dia kami mereka saya ada bisa karena lebih sebuah seorang kepada", "" },
	{ "ru", "и в не на что я с он как это по но они мы она так его из у за от же бы к до вы был её для или "
	    "о при также только если", "ыэъё" },
	{ "uk", "і в не на що я з він як це по але та ми вона так його у за від же до ви був для або про є "
	    "й при також тільки якщо", "іїєґ" },
	{ "bg", "и в не на че аз с той като това по но те ние тя така от са за да се към до вие беше или ще при "
	    "също само ако е си със", "ъщ" },
};
