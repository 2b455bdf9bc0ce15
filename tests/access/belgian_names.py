"""Two hundred names as they stand on Belgian identity cards, put together at random: last name, first name."""

NAMES = [
    tuple(part.strip() for part in line.split(","))
    for line in """
Peeters, Jan
Janssens, Marie-Louise
Maes, Koen
Jacobs, Ann
Mertens, Griet
Willems, Pieter-Jan
Claes, Liesbeth
Goossens, Tom
Wouters, Els
De Smet, Katrien
De Clercq, Joris
De Cock, Bart
De Backer, Sofie
De Wilde, Inge
De Meyer, Wim
De Vos, Lieve
De Pauw, Geert
De Ridder, An
D'Hondt, Filip
D'hondt, Veerle
D’Hooghe, Carl
D'Haese, Ilse
D'Hulst, Rik
Dhondt, Saskia
Van den Berghe, Luc
Van den Bossche, Hilde
Vandenberghe, Karel
van den Broeck, Ria
Van De Velde, Mieke
Vande Velde, Stijn
Vandevelde, Lotte
Van Damme, Jean-Claude
Van der Auwera, Kris
Van der Linden, Guy
Vanderlinden, Noémie
van der Straeten, Odile
Van 't Hof, Piet
van 't Westende, Jos
't Jampens, Lien
't Kindt, Hans
't Serstevens, Ghislaine
's Heeren, Roel
'sJongers, Dirk
Van Hool-Peeters, Anneleen
Op de Beeck, Nele
Op 't Eynde, Ward
Ter Heide, Femke
Uyttebroeck, Ineke
Uytterhoeven, Goedele
Wyckmans, Yves
Wuyts, Jef
Quaghebeur, Stefaan
Quintyn, Pol
Coeckelbergh, Machteld
Schoonjans, Bénédicte
Nuyttens, Aïcha
Lambert, Françoise
Dupont, Jean
Dubois, Anne-Sophie
Martin, Benoît
Simon, Zoé
Laurent, Hélène
Leroy, Noël
Lefèvre, Maïté
Lefebvre, Gaëlle
Renard, Loïc
Fontaine, Cécile
Noël, Raphaël
Delcourt, Anne
Delhaye, Jérôme
Delvaux, Aurélie
Dumont, Jean-Baptiste
Hélas, Rémy
Gérard, Thérèse
Évrard, Élodie
Étienne, Éric
Maréchal, François-Xavier
Piérard, Géraldine
Rosière, Marie-Hélène
Pâques, Aimé
Crèvecœur, Sylvie
Lecœur, Didier
Lebœuf, Odette
de la Vallée, Charles-Antoine
de la Kethulle de Ryhove, Éléonore
de Selys Longchamps, Sybille
de Changy, Amaury
d'Oultremont, Ysaline
d'Ursel, Aymeric
d’Ansembourg, Iñigo
du Bus de Warnaffe, Thibault
du Jardin, Quentin
le Hardÿ de Beaulieu, Pauline
le Grelle, Gaëtane
del Marmol, Solange
della Faille d'Huysse, Baudouin
von Wendt, Ulrike
von der Heyden, Jürgen
van Ypersele de Strihou, Louis-Marie
Ruiz de la Peña, Begoña
Delvaux de Fenffe, Guibert
Saint-Remi, Colette
St. Clair, Fiona
Sainte-Marie, Blandine
Müller, Jörg
Schröder, Käthe
Schäfer, Günther
Weiß, Björn
Straßer, Anneliese
Größer, Uwe
Lenz-Küpper, Margarethe
Hück, Rüdiger
Heinen, Karl-Heinz
Möres, Sigrid
Jost, Ännchen
El Amrani, Fatima
El Khattabi, Mohamed-Amine
Ben Abdallah, Yassine
Bouzid, Naïma
Benaïssa, Karim
Aït Ouali, Samira
Ait-Lahcen, Youssef
Al-Hussein, Nour
Abdel Rahman, Laïla
Ould Ahmed, Sidi
Yılmaz, Ayşe
Öztürk, Gülşen
Çelik, Şükrü
Doğan, Işıl
Kılıç, İbrahim
Güneş, Çiğdem
Aslan, Uğur
Nguyễn, Thị Hương
Trần, Văn Đức
Phạm, Quỳnh Anh
Lê, Ngọc Ánh
Đặng, Minh Tuấn
Kowalczyk, Łukasz
Wiśniewski, Paweł
Dąbrowska, Małgorzata
Wójcik, Stanisław
Żukowski, Bożena
Ślusarczyk, Agnieszka
Popescu, Ștefan
Ionescu, Ioana-Mădălina
Țurcanu, Răzvan
Bălan, Cătălina
Novák, Jiří
Dvořáková, Zdeňka
Šimůnek, Tomáš
Horváth, Zoltán
Kovács, Győző
Szűcs, Erzsébet
Petrović, Đorđe
Šarić, Žaklina
Kovačević, Čedomir
Bērziņš, Jānis
Kazlauskienė, Živilė
Õunapuu, Tõnu
Sørensen, Bjørn
Ødegård, Åse
Ångström, Märta
Jónsdóttir, Þórunn
Guðmundsson, Ægir
Silva e Sousa, João
Gonçalves, Conceição
dos Santos, Tânia
Sá Fernandes, Inês
García Márquez, José María
Núñez, Begoña
Peña y Ortiz, Íñigo
Puig i Ferrer, Núria
Rossi, Nicolò
D'Angelo, Niccolò
De Luca, Desirée
Dell'Acqua, Mariangela
Lo Bue, Salvatore
Camilleri-Vella, Ġorġa
Borġ, Ħelena
O'Neill, Siobhán
O’Brien, Gráinne
MacGregor, Ailsa
McDonald, Kirsty
Ó Súilleabháin, Pádraig
Kabila wa Mwamba, Dieudonné
N'Diaye, Aminata
N'Guessan, Kouamé
M'Bala, Fidèle
Ngo Bassong, Célestine
Mukendi, Marie-Josée
Tshibangu-Kalala, Trésor
Uwimana, Jean de Dieu
Habimana, Espérance
Hasan, Məhəmməd
Singh, Harpreet
Kaur, Amandeep
Li, Wei
van Dĳk, Fĳtje
Niño de Guzmán, Consuelo
Ng, Mei-Ling
Ó, Yu
""".strip().splitlines()
]

ONE_NAME = ["Suharto", "Kaur", "Ng", "Yə"]
