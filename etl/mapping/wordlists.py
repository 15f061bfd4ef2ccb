"""Well-known given names, towns and legal forms, folded: enough of them to tell what a column holds, never a value.

A column is judged by the share of its values that are here, so a list need not be whole; it must not hold words of
another kind. Towns are the largest of each country.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(word.replace("_", " ") for word in text.split())


GIVEN_NAMES = _words("""
    adam agata agnieszka aleksandra alicja andrzej anna barbara bartosz beata cezary dariusz dorota ewa grzegorz
    halina hanna iwona jakub jan janusz jerzy joanna jolanta julia kamil karolina katarzyna krystyna krzysztof
    lukasz maciej magdalena malgorzata marcin marek maria mariusz marta mateusz michal monika natalia patryk pawel
    piotr przemyslaw rafal renata robert stanislaw sylwia szymon teresa tomasz urszula wojciech zbigniew zofia
    alexander andrea andreas angelika anja birgit brigitte christian christina christoph claudia daniel dieter elke
    felix florian frank franziska gabriele georg gerhard hans heike heinz helga helmut ingrid jens johanna jorg
    jurgen karin karl katharina katja klaus kristin laura lea lena leon lukas manfred martin martina matthias
    maximilian michael moritz nicole niklas nina oliver paul petra philipp rainer ralf sabine sandra sebastian silke
    simon stefan stefanie stephan susanne sven thomas thorsten tim tobias ulrich ursula ute werner wolfgang anders
    annika asa astrid axel birgitta bjorn bo carl christer elin elsa emil emma erik eva fredrik gunilla gunnar
    gustav hakan henrik ida inger isak johan jonas kerstin kristina lars leif lennart linnea magnus maja malin marie
    mats mikael nils olof oscar per peter sara sofia stig ulf viktor alba alberto alejandro alfonso alvaro ana
    andres angel antonio beatriz carlos carmen concepcion cristina david diego dolores elena enrique fernando
    francisco ignacio irene isabel javier jesus jorge jose juan juana lucia luis luisa manuel manuela marcos marina
    mario mercedes miguel montserrat nuria pablo paula pedro pilar rafael ramon raquel raul rocio rosa rosario ruben
    salvador santiago sergio silvia sonia vicente victor adele alain alexandre amelie antoine aurelie benoit bernard
    camille catherine cecile celine chantal chloe christine christophe claire claude clement corinne dominique
    elodie emilie eric etienne fabrice florence francois francoise frederic gerard guillaume helene henri isabelle
    jacqueline jacques jean jeanne jerome juliette julien laurent louis louise lucie manon marc marguerite martine
    mathieu maxime michel monique nathalie nicolas olivier pascal patrick philippe pierre romain sebastien sophie
    stephane stephanie sylvie theo thierry valerie veronique vincent virginie xavier yves alessandra alessandro
    alessia angela angelo carlo chiara claudio daniela davide eleonora elisa emanuela enzo fabio federica federico
    filippo francesca francesco franco giacomo giorgia giorgio giovanna giovanni giulia giulio giuseppe giuseppina
    ilaria lorenzo luca luigi marco massimo matteo michela michele nicola paola paolo patrizia pietro riccardo
    roberta roberto salvatore serena simona simone stefania stefano tommaso valentina valeria vincenzo vittoria
    alice amy andrew anthony ashley benjamin brian charles charlotte christopher deborah donald dorothy edward
    elizabeth emily ethan george grace hannah harry helen henry jack jacob james jane jason jeffrey jennifer jessica
    john joseph joshua karen kevin kimberly linda lisa lucy margaret mark mary matthew megan melissa michelle nancy
    noah olivia patricia rebecca richard ryan samantha samuel sarah scott sharon stephen steven susan timothy
    victoria william
""")

CITIES = _words("""
    warszawa krakow lodz wroclaw poznan gdansk szczecin bydgoszcz lublin bialystok katowice gdynia czestochowa radom
    torun sosnowiec rzeszow kielce gliwice olsztyn zabrze bytom opole zielona_gora rybnik tychy elblag plock sopot
    tarnow berlin hamburg munchen koln frankfurt frankfurt_am_main stuttgart dusseldorf leipzig dortmund essen
    bremen dresden hannover nurnberg duisburg bochum wuppertal bielefeld bonn munster karlsruhe mannheim augsburg
    wiesbaden kiel aachen halle magdeburg freiburg mainz rostock kassel potsdam wien graz linz salzburg innsbruck
    zurich genf basel bern lausanne stockholm goteborg malmo uppsala vasteras orebro linkoping helsingborg jonkoping
    norrkoping lund umea gavle boras sodertalje eskilstuna halmstad vaxjo karlstad sundsvall lulea ostersund kalmar
    madrid barcelona valencia sevilla zaragoza malaga murcia palma bilbao alicante cordoba valladolid vigo gijon
    granada vitoria elche oviedo cartagena terrassa jerez sabadell almeria pamplona santander burgos salamanca
    donostia toledo cadiz tarragona lleida leon badajoz paris marseille lyon toulouse nice nantes montpellier
    strasbourg bordeaux lille rennes reims toulon grenoble dijon angers nimes villeurbanne le_havre saint-etienne
    clermont-ferrand aix-en-provence brest tours amiens limoges annecy perpignan metz besancon orleans rouen
    mulhouse caen nancy avignon poitiers roma milano napoli torino palermo genova bologna firenze bari catania
    venezia verona messina padova trieste taranto brescia parma prato modena reggio_calabria reggio_emilia perugia
    ravenna livorno cagliari foggia rimini salerno ferrara sassari siracusa pescara monza bergamo vicenza trento
    forli udine london birmingham manchester leeds glasgow liverpool bristol sheffield edinburgh cardiff belfast
    newcastle nottingham leicester dublin cork new_york los_angeles chicago houston phoenix philadelphia san_antonio
    san_diego dallas austin san_francisco seattle denver boston washington miami atlanta toronto montreal vancouver
    sydney melbourne brussels bruxelles antwerpen amsterdam rotterdam utrecht eindhoven den_haag praha brno ostrava
    kobenhavn aarhus oslo bergen helsinki budapest lisboa porto
""")

LEGAL_FORM = (
    r"(?:gmbh|ag|kg|ohg|e\. ?k\.?|ug|sp\. ?z ?o\. ?o\.?|s\.?a\.?|sp\. ?j\.?|s\.?c\.?|ab|hb|s\.?l\.?u?\.?"
    r"|s\.?a\.?r\.?l\.?|s\.?a\.?s\.?|eurl|s\.?r\.?l\.?s?\.?|s\.?p\.?a\.?|s\.?n\.?c\.?|ltd\.?|limited|inc\.?|llc|plc|corp\.?|b\.?v\.?"
    r"|n\.?v\.?|oy|a/s|aps)"
)
"""The end of a company's name, in small letters."""

CURRENCIES = frozenset({"PLN", "EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "CZK", "HUF", "RON", "BGN", "ZŁ", "ZL"})
