//! The vocabulary itself, by what its words tell. One list for all languages: a word that means something else in another language is left
//! out, or stands where it does no harm alone.

use super::vocabulary::Class;

/// Words between bars; `*` where endings may follow.
pub(super) const WORDS: &[(Class, &str)] = &[
    // English
    (
        Class::Reach,
        "contact me|write there|message there|text there|contact form|fill in the form|fill out the form|the form at|form on|formulier|kontaktformular*|formulario|formulaire|formularz*|formular*|iletisim formu|форму|форма|форми|формата|フォーム|表单|表單|have a look at my|take a look at my|look at www|kijk op|bekijk mijn|schau auf|zajrzyj|podivejte se na|mrkni na|straight to me|directly to me|to me directly|save this|save this|save my|search for|poke me|slack me|skype me|whatsapp me|telegram me|i'm there|i am there|contact us|reach me|reach us|reach out|reach you|reached at|reachable|call me|call us|text me|text us|message me|message us|\
        msg me|write me|write to me|write to us|drop me|drop us|email me|e-mail me|mail me|ping me|dm me|dm us|pm me|hit me up|add me|find me|find us|follow me|\
        get in touch|in touch|get hold of|get back to me|get me at|get me on|talk on|talk to me|talk there|talk over|chat on|chat with me|chat there|chat outside|\
        speak on|meet me|book me|book a call|book a time|book a slot|book time|book a meeting|schedule a call|schedule time|schedule a meeting|grab a slot|pick a slot|pick a time|\
        hop on|jump on a call|join me|send it to|send them to|send me|send it over|send the details|send files to|send your|i'm on|im on|i am on|we're on|i'm at|im at|i am at|i use|my contact|my contacts|contact details|contact info|\
        continue on|continue there|let's continue|move to|take this to|outside the platform|off the platform|off platform|off-platform|directly at|directly on|direct line|reply to|respond to|\
        best way to reach|available on|available at|here is my|here's my|heres my|this is my|these are my|leave me|leave a message|forward to|shoot me|hmu|hit me|holler|buzz me|give me a call|give me a ring|ring me|phone me|give us a call|user name is|add on|search for me|look me up|search me|you can find|you'll find me|as a friend|check my|see my|visit my|view my|look at my|browse my|reach my|use my",
    ),
    (Class::Mine, "my|mine|our|personal|private"),
    (
        Class::Phone,
        "phone|phones|telephone|tel|tel.|tlf|tfn|telf|mobile|mob|mob.|cell|cellphone|cell phone|call|calls|calling|text|txt|sms|ring|dial|whatsapp|whatsap|watsapp|whats app|wsp|wpp|wa|viber*|telegram|signal|my number|phone number|hotline|landline|ph|ph.|area code",
    ),
    (Class::Mail, "email|e-mail|e mail|mail|mails|mailbox|inbox|mailto|email address|mail address|gmail"),
    (
        Class::Name,
        "username|user name|user|handle|handles|nickname|nick|nic|id|i.d.|account|acct|tag|profile|contact|name|channel|alias|login|screen name|uid|find me|add me|as|under",
    ),
    (
        Class::Site,
        "portfolio|portfolios|work samples|samples of my|ukazky praci|priklady praci|примеры работ|приклади робіт|muestras de mi|beispiele meiner|esempi dei miei|exemples de mes|company page|own page|own site|own website|our page|our site|company site|company website|my rates|my prices|my projects|my samples|my designs|my illustrations|my photos|homepage|home page|my site|my website|my web site|my page|my web page|my blog|my webpage|website|web site|webpage|cv|resume|résumé|my work|my works|my projects|landing page of mine|about me|reel|showreel|lookbook",
    ),
    (
        Class::Not,
        "not|don't|dont|do not|never|no|without|cannot|can't|cant|avoid|forbidden|prohibited|against the rules|against|instead of|rather than|refrain|nobody|won't|shouldn't",
    ),
    (
        Class::Public,
        "bot|bots|бот|бота|боты|ботов|боту|ботом|боте|бота*|机器人|機器人|ボット|봇|بوت|बॉट|বট|บอท|botu|bota|boty|uses|using|settings|configured|config|script|function|variable|table|column|file|files|python|java|javascript|typescript|campaign|template|ads|docs|doc|reference|references|api|sdk|spec|specification|rfc|standard|tutorial|guide|manual|article|wiki|library|package|repo|repository|source code|open source|framework|release notes|changelog|issue|pull request|\
        competitor|competitors|similar to|like|inspired by|clone|clone of|such as|example|for example|e.g.|dashboard|scrape|scraping|crawl|redirect|domain|dns|hosting|hosted|endpoint|webhook|server|deploy|landing|shop|store|according to|news|per the|described|see also|template|theme|plugin|module|dataset|paper|integrate|integration|migrate|migration|install|download page|status page|homepage of",
    ),
    (
        Class::Counted,
        "gstin|gst|pan|aadhaar|aadhar|आधार|ஆதார்|আধার|partita iva|p.iva|p. iva|codice fiscale|cnpj|cpf|cep|inscrição|nif|nie|cif|dni|rut|rfc|curp|nit|cuit|cuil|ruc|ein|tin|utr|abn|acn|ssn|npwp|nik|nip|regon|pesel|krs|siren|siret|rcs|kvk|btw|bsn|kbo|uid-nr|ust-id*|ustid*|steuernummer|steuer-id|steuer id|handelsregister|hrb|org.nr*|orgnr*|organisasjonsnummer|organisationsnummer|cvr|kid|ocr|y-tunnus|ytunnus|hetu|ico|dic|ičo|dič|rodne cislo|adoszam|adószám|cui|cif|cnp|oib|mbs|pib|jmbg|poziv na broj|еик|ддс|егн|булстат|инн|кпп|бик|огрн|огрнип|снилс|окпо|єдрпоу|іпн|мфо|жшс|бсн|бин|иин|vkn|tckn|tc kimlik|kimlik no|vergi no|mersis|afm|αφμ|ίβαν|עמ|ח.פ|ת.ז|ح ض|الرقم الضريبي|السجل التجاري|رقم الهوية|شناسه ملی|کد ملی|sort code|routing|bic|bank account|account no|account number|konto nr|kontonummer|konto|kontonr|rachunek|rachunku|numer konta|cuenta|numero de cuenta|conta|agencia|rib|hesap no|счёт*|рахунок|резит|resit|receipt|kvitt*|paragon|scontrino|recibo|reçu|bon nr|beleg*|quittung*|lieferschein*|ustregnr|policy no|claim|case no|case number|dossier|aktenzeichen|az.|expediente|processo|delo|sagsnummer|serienummer|seriennummer|s/n|sn|imei|iccid|mac|vin|fahrgestell|plate|registration|reg no|reg. no|student id|employee id|member id|membership|customer no|kundennr*|kundennummer|nr zamowienia|zamówieni*|订单号|快递|运单|单据|税号|稅號|統一編號|统一社会信用代码|身份证|身分證|银行卡|卡号|卡號|追跡番号|法人番号|登録番号|口座|사업자|사업자등록번호|주민등록|운송장|계좌|mst|ma so thue|mã số thuế|ma don|ma van don|no. pesanan|no resi|no. resi|norek|rekening|no. faktur|order id|order|orders|invoice|invoices|ticket|tickets|issue|issues|bug|ref|reference|ref.|tracking|shipment|parcel|isbn|issn|doi|sku|serial|build|commit|transaction|txn|account|acct|iban|swift|vat|tax|ein|ssn|passport|licence|license|policy|po|po.|purchase|contract|job id|user id|product|asin|upc|ean|barcode|cards|visa|mastercard|stripe|test card|zip|postal|postcode|timestamp|epoch|unix|block|hash|checksum|pid|version|ver|release|firmware|coordinates|latitude|longitude|lat|lng|pi|decimal|integer|int|bigint|seed|id|ids|uuid|batch|lot|flight|meeting id|patent|cas|pmid|id:|population|factura|facture|rechnung|rechnungsnummer|auftrag*|bestell*|kunden*|sendung*|pedido|commande|ordine|fattura|pedido no|fatura|siparis*|заказ*|заказа|счет*|рахун*|замовленн*|договор*|инн|артикул*|zamowieni*|faktur*|objednavk*|订单|發票|发票|編號|编号|单号|單號|注文|請求書|番号|伝票|주문|송장|청구|don hang|hoa don|pesanan|nomor pesanan|resi|ऑर्डर|इनवॉइस|طلب|فاتورة|רכישה|הזמנה|חשבונית",
    ),
    (
        Class::Form,
        "template|templates|templat|vorlage|vorlagen|modello|modulo|modelo|modèle|modele|шаблон*|предложак|predlozak|szablon*|sablon*|malen|fakturamal*|mallen|skabelon*|टेम्पलेट|টেমপ্লেট|படிவ*|реквизит*|тестов*|testdata|test data|testdaten|in prova|di prova|de prueba|de teste|de test|testowy*|test icin|demo data|footer|rodape|pie de pagina|fußzeile|header|should show|should appear|must appear|erscheinen|aparecem|aparecer|formats|formatted|formatting|regex|regexp|pattern|patterns|validate|validates|validated|validation|validator|placeholder|placeholders|dummy|fake|sample|mask|masked|masking|parse|parsing|parser|e.164|digits|fixture|fixtures|mock|test data|seed data|test number|lorem|unit test|unit tests|test case|input field|field|fields|string|strings|schema|formato|formatos|validar|validacion|validação|valider|validation|muster|formular|validierung|формат*|валидац*|провер*|формуляр|格式|校验|驗證|验证|正则|形式|書式|正規表現|検証|형식|정규식|검증|dinh dang|format nomor|validasi|doğrulama|dogrulama|bicim|walidacj*|wyrazeni*|प्रारूप|تنسيق|التحقق|תבנית|ולידציה",
    ),
    (
        Class::Unit,
        "usd|eur|gbp|inr|rs|rs.|rmb|cny|jpy|yen|yuan|krw|won|brl|reais|rub|uah|pln|zl|zł|czk|sek|nok|dkk|chf|cad|aud|sgd|idr|rp|php|vnd|dong|try|tl|lira|dollars|dollar|euros|euro|pounds|rupees|rupiah|pesos|peso|bucks|k|m|px|pixels|ms|sec|seconds|min|minutes|hours|hrs|days|weeks|months|years|kb|mb|gb|tb|km|kg|cm|mm|users|rows|records|lines|words|words each|items|products|images|photos|files|requests|visitors|followers|subscribers|downloads|views|impressions|transactions|characters|pages|units|pcs|sq|percent|points|votes|tokens|stunden|euros|heures|horas|palabras|usuarios|palavras|mots|woerter|worter|parole|slow|słow|слов|знаков|символ*|руб*|грн|тысяч|пользовател*|字|元|人|件|行|円|万円|名|個|문자|원|명|건|ribu|juta|kata|trieu|nghin|kelime|kullanici|रुपये|शब्द|ريال|درهم|كلمة|דולר|שקל|מילים",
    ),
    (
        Class::Messenger,
        "telegram*|kik|wee-chat|wee chat|we-chat|on signal|via signal|signal app|auf signal|sur signal|en signal|in signal|over signal|my signal|snap me|加我薇|加薇|薇❤信|加我v|вајбер*|вајберу|ტელეგრამ*|ვაიბერ*|ვოთსაფ*|ინსტაგრამ*|ფეისბუქ*|տելեգրամ*|վայբեր*|վաթսափ*|телеграмм*|ဗိုင်ဘာ|တယ်လီဂရမ်|ဖေ့စ်ဘွတ်|តេឡេក្រាម|ហ្វេសប៊ុក|ໄລນ໌|ලයින්|වට්ස්ඇප්|ටෙලිග්‍රෑම්|વોટ્સએપ|ટેલિગ્રામ|ਵਟਸਐਪ|ਟੈਲੀਗ੍ਰਾਮ|ವಾಟ್ಸಾಪ್|ಟೆಲಿಗ್ರಾಮ್|വാട്ട്സാപ്പ്|വാട്സാപ്പ്|ടെലിഗ്രാം|ቴሌግራም|ዋትስአፕ|tg|ig|wa|qq|q q|reddit|tele gram|whats-app|tlgrm|whatsapp*|whatsap|watsapp|whatsup|whats app|watsap|wsp|wpp|skype*|skaip|discord*|wechat|we chat|weixin|wexin|kakaotalk|kakao talk|kakao|zalo|viber|snapchat*|instagram*|insta|facebook*|fb|fb messenger|tiktok|tik tok|linkedin*|linked in|vkontakte|vk|icq|threema|messenger*|hangouts|google chat|google meet|botim|mastodon|bluesky|bsky|xing|weibo|douyin|xiaohongshu|twitter|onlyfans|behance|dribbble|twitch|youtube|pinterest|\
        телеграм*|телеграмм*|телега|телегу|телеге|телеги|телегой|тг|тгшка|вотсап*|ватсап*|воцап*|уотсап*|вацап*|вайбер*|вибер*|скайп*|дискорд*|инстаграм*|инста|инсту|инсте|вконтакте|вк|вконтакті|телеграмі|фейсбук*|фб|\
        微信|微 信|的賴|賴id|加賴|我的赖|薇信|威信|維信|卫星|加v|加微|vx|wx|扣扣|企鹅|抖音|小红书|微博|新浪|钉钉|飞书|電報|电报|臉書|脸书|推特|whatsapp号|ライン|カカオ|カカオトーク|テレグラム|スカイプ|ディスコード|インスタ|ツイッター|フェイスブック|ワッツアップ|\
        카톡|카카오톡|카카오|텔레그램|텔레|라인|인스타|인스타그램|디스코드|스카이프|왓츠앱|페이스북|트위터|위챗|\
        واتساب|واتس|واتس اب|واتسآب|تلجرام|تلغرام|تليجرام|تلگرام|تيليجرام|انستقرام|انستجرام|انستا|إنستغرام|سناب|سناب شات|سكايب|ديسكورد|فيسبوك|فايبر|وي شات|اینستاگرام|واتساپ|ایتا|بله|ٹیلیگرام|واٹس ایپ|\
        ווטסאפ|וואטסאפ|ווצאפ|טלגרם|אינסטגרם|אינסטה|פייסבוק|סקייפ|דיסקורד|\
        टेलीग्राम|व्हाट्सएप|व्हाट्सऐप|व्हाट्सअप|वाट्सएप|वाट्सअप|इंस्टाग्राम|इंस्टा|फेसबुक|स्काइप|डिस्कॉर्ड|টেলিগ্রাম|হোয়াটসঅ্যাপ|হোয়াটসঅ্যাপ|ইনস্টাগ্রাম|ফেসবুক|টেলিগ্রামে|স্কাইপ|ডিসকর্ড|ভাইবার|লাইন|\
        ไลน์|เทเลแกรม|วอทส์แอพ|วอตส์แอป|ไอจี|เฟซบุ๊ก|เฟส|ดิสคอร์ด|อินสตาแกรม|τηλεγραμ|ινσταγκραμ|βαϊμπερ|βάιμπερ|σκάιπ|φέισμπουκ|κακάο|டெலிகிராம்|வாட்ஸ்அப்|టెలిగ్రామ్|వాట్సాప్",
    ),
    (
        Class::Vague,
        "line|signal|snap|薇|x|teams|slack|imo|zoom|meet|tele|wire|session|matrix|element|tt|msn|yahoo messenger|dc|sc|li|github|gitlab|medium|git|zap|zapzap|skp|wickr|vb|v信|q号|ln",
    ),
    (
        Class::Provider,
        "gmail|g-mail|gmial|gmai|googlemail|google mail|hotmail|outlook|yahoo|ymail|protonmail|proton|proton mail|icloud|yandex|zoho|aol|gmx|tutanota|fastmail|mail ru|mailru|rambler|web de|libero|orange fr|qq邮箱|naver|daum|hanmail|163邮箱|джимейл|гмейл|гмаил|жмайл|жмейл|яндекс|яндексе|谷歌邮箱|जीमेल|জিমেইল|جيميل|جی میل|جیمیل|آؤٹ لک|یاہو|지메일|네이버|ジーメール|ジメール|ג'ימייל|ג׳ימייל|гугл почта|seznam|wp pl|onet|interia|o2 pl|abv bg|ukr net|укр нет|i ua|bk ru|live com|msn",
    ),
    (
        Class::Number,
        "number|no.|number is|numero|número|nummer|номер*|رقم|الرقم|شماره|מספר|המספר|番号|号码|號碼|번호|nomor|nomer|nombor|namba|nambari|numara*|broj|numer|nr|cislo|numar|numarul|αριθμ*|szam|szamom|szamon|nro|нөмір*|nomre*|raqam*|नंबर|नम्बर|নম্বর|নাম্বার|எண்|నంబర్|nomber|nambar|numris|numeris|ნომერ*|համար*|លេខ|ເບີ|අංකය|નંબર|ਨੰਬਰ|ಸಂಖ್ಯೆ|ನಂಬರ್|നമ്പർ|numri|stevilka|inombolo|lambar*|дугаар*|numero de|nombor|so|numr",
    ),
    // Spanish, Catalan
    (
        Class::Reach,
        "contactame|contactarme|contacteme|contacten|contactenos|contactar conmigo|escribeme|escribirme|escribime|escribame|escribenos|llamame|llamarme|llameme|llamenos|llama al|llamar al|mandame|mandeme|enviame|envieme|envíanos|agregame|agregarme|añademe|buscame|encuentrame|me encuentras|me puedes encontrar|estoy en|hablame|hablemos por|hablamos por|seguimos por|sigamos por|mejor por|ponte en contacto|pongase en contacto|mi contacto|localizame|visita mi|mira mi|puedes ver mi|reserva una|agenda una|agendar una|agenda aqui|respondeme|contestame|marcame|fuera de la plataforma|te dejo mi|le dejo mi|aqui tienes mi|este es mi|me llamas|me escribes|escriu-me|truca'm",
    ),
    (Class::Mine, "mi|mis|mio|mia|nuestro|nuestra|el meu|la meva"),
    (Class::Phone, "telefono|telefonos|tfno|movil|celular|cel|cel.|wasap|guasap|whats|llamada|marcar"),
    (Class::Mail, "correo|correo electronico|mi mail|direccion de correo"),
    (Class::Name, "usuario|nombre de usuario|cuenta|perfil|soy|como|me llamo"),
    (
        Class::Site,
        "portafolio|portfolio|pagina|mi pagina|mi web|sitio web|pagina web|mi sitio|mi trabajo|mis trabajos|curriculum",
    ),
    (Class::Not, "no|nunca|sin|jamas|prohibido|evita"),
    // Portuguese
    (
        Class::Reach,
        "me chama|me chame|chama no|chame no|chama la|me liga|me ligue|ligue para|liga pra|me contate|contate-me|entre em contato|entrar em contato|em contacto|contacte-me|me manda|me mande|mande um|manda um|mande para|envie para|me envie|escreva-me|escreva para|escreve-me|me escreve|me escreva|me adiciona|me adicione|adiciona-me|me segue|me procura|me procure|me encontra|me acha|me ache|estou no|fale comigo|falar comigo|fala comigo|vamos falar|falamos pelo|conversamos pelo|conversar pelo|meu contato|meus contatos|veja meu|veja o meu|confira meu|visite meu|agende|marque um|marque uma|fora da plataforma|ligue-me|liga-me",
    ),
    (Class::Mine, "meu|minha|meus|minhas|o meu|a minha|nosso|nossa"),
    (Class::Phone, "telefone|fone|celular|telemovel|zap|zapzap|whats|ligar|ligação"),
    (Class::Mail, "correio|meu email|e-mail"),
    (Class::Name, "usuario|perfil|conta|utilizador"),
    (Class::Site, "portfolio|portfólio|meu site|minha pagina|meu blog|meu trabalho|curriculo"),
    (Class::Not, "nao|nunca|sem"),
    // French
    (
        Class::Reach,
        "contactez-moi|contacte-moi|contacter|me contacter|me joindre|joignable|joindre|me joindre au|joignez-moi|joins-moi|appelez-moi|appelle-moi|appeler|appelez|ecrivez-moi|ecris-moi|m'ecrire|ecrire a|ecrivez a|envoyez|envoie-moi|envoyer a|ajoutez-moi|ajoute-moi|m'ajouter|retrouvez-moi|retrouve-moi|me retrouver|trouvez-moi|me trouver|suivez-moi|suis-moi|je suis sur|discutons sur|parlons sur|parler sur|echanger sur|continuons sur|mes coordonnees|voici mon|voici ma|mon contact|reservez|prenez rendez-vous|prendre rendez-vous|rdv|visitez mon|consultez mon|voir mon|hors de la plateforme|passez par|texto",
    ),
    (Class::Mine, "mon|ma|mes|notre|nos"),
    (Class::Phone, "telephone|tel|portable|mobile|fixe|sms|texto|appel"),
    (Class::Mail, "courriel|mel|adresse mail|adresse email|mon mail|mail"),
    (Class::Name, "pseudo|identifiant|compte|profil|nom d'utilisateur|utilisateur"),
    (Class::Site, "portfolio|mon site|site web|ma page|mon blog|mon travail|book"),
    (Class::Not, "ne|pas|jamais|sans|aucun|evitez|interdit"),
    // German, Dutch
    (
        Class::Reach,
        "kontaktieren sie mich|kontaktiere mich|kontaktier mich|kontaktieren|mich erreichen|erreichen sie mich|erreichst du mich|erreichbar|erreichen|ruf mich|rufen sie mich|ruf an|rufen sie|anrufen|schreib mir|schreiben sie mir|schreibt mir|schreib mich|schreiben sie an|schreib an|melde dich|melden sie sich|meld dich|schick mir|schicken sie|schick's|schick es|senden sie|sende mir|sende es|adde mich|add mich|fuge mich|finden sie mich|findest du mich|finde mich|findet mich|folge mir|ich bin auf|bin auf|lass uns auf|lass uns uber|lassen sie uns|meine kontaktdaten|mein kontakt|hier ist mein|hier ist meine|buch dir|buchen sie|termin buchen|termin|vereinbaren|direkt an|direkt unter|per whatsapp|per mail|ausserhalb der plattform|besuch meine|schau auf|unter der nummer|\
        bel me|bel mij|bel gerust|bel naar|stuur me|stuur mij|stuur een|mail me|mail mij|mail naar|app me|app mij|appen|schrijf me|bereik me|bereikbaar|te bereiken|bereiken|contacteer|neem contact|voeg me|vind me|te vinden op|volg me|mijn contact|bereik je mij|plan een|boek een|stuur maar",
    ),
    (Class::Mine, "mein|meine|meiner|meinem|meinen|meines|unser|unsere|unter|privat*|mijn|m'n|onze"),
    (
        Class::Phone,
        "telefon*|tel|handy*|mobil*|rufnummer|festnetz|anruf|durchwahl|telefoon*|gsm|mobiel*|06-nummer|telefoonnummer",
    ),
    (Class::Mail, "e-mail-adresse|mailadresse|emailadresse|mail|postfach|mailtje|mailadres"),
    (
        Class::Name,
        "benutzername|nutzername|benutzer|konto|profil|kennung|gebruikersnaam|account|heisse|heiße|naam|ben ik",
    ),
    (
        Class::Site,
        "portfolio|meine seite|meine website|webseite|homepage|internetseite|meine arbeit|meine arbeiten|mijn site|mijn website|mijn werk|lebenslauf",
    ),
    (Class::Not, "nicht|kein|keine|keinen|nie|niemals|ohne|bitte nicht|niet|geen|nooit|zonder"),
    // Italian, Romanian
    (
        Class::Reach,
        "contattami|mi contatti|contattatemi|contattarmi|contattare|scrivimi|mi scriva|scrivetemi|scrivere a|scrivi a|chiamami|mi chiami|chiamatemi|chiamare|chiama il|mandami|mandatemi|inviami|invia a|aggiungimi|trovami|mi trovi|mi trovate|mi puoi trovare|mi puo trovare|seguimi|sono su|parliamo su|sentiamoci|ci sentiamo|sentirci|continuiamo su|i miei contatti|il mio contatto|ecco il mio|ecco la mia|prenota|visita il mio|guarda il mio|fuori dalla piattaforma|rispondimi|\
        contactati-ma|contacteaza-ma|ma contactati|ma gasesti|ma gasiti|gasiti-ma|scrie-mi|scrieti-mi|imi puteti scrie|suna-ma|sunati-ma|ma puteti suna|suna la|trimite-mi|trimiteti|adauga-ma|sunt pe|vorbim pe|hai pe|datele mele|programati|vizitati",
    ),
    (Class::Mine, "mio|mia|miei|mie|nostro|nostra|meu|mea|mele|mei"),
    (Class::Phone, "telefono|cellulare|cell|recapito|tel|chiamata|telefon|mobil"),
    (Class::Mail, "posta|posta elettronica|indirizzo email|mail|adresa de mail|adresa de email"),
    (Class::Name, "nome utente|utente|profilo|account|utilizator|contul|numele"),
    (Class::Site, "portfolio|il mio sito|sito web|mia pagina|sito|portofoliu|site-ul|pagina mea"),
    (Class::Not, "non|mai|senza|fara|niciodata"),
    // Polish, Czech, Slovak
    (
        Class::Reach,
        "napisz do mnie|napisz na|napisz|piszcie|prosze pisac|pisz na|pisz do|zadzwon|zadzwonic|prosze dzwonic|dzwon|dzwonic|skontaktuj|prosze o kontakt|kontakt|kontaktuj|znajdziesz mnie|znajdziecie mnie|znajdz mnie|dodaj mnie|wyslij|przeslij|slij|odezwij|odezwac|jestem na|pogadajmy na|porozmawiajmy|moj kontakt|moje dane|umow|zarezerwuj|zobacz moje|odwiedz|poza platforma|lapac mnie|zlap mnie|smsa|\
        napis mi|napiste|piste na|pis na|zavolej|zavolejte|volejte|ozvi se|ozvete|kontaktujte|kontaktuj|najdete me|najdes me|pridej si me|pridejte|posli|poslete|jsem na|muj kontakt|rezervuj*|zavolaj|napis|ozvite sa|najdete ma|pridaj si ma|posli mi",
    ),
    (Class::Mine, "moj|moja|moje|mojego|mojej|mnie|nasz|nasza|muj|moji|me|mi|môj"),
    (Class::Phone, "telefon*|tel|komork*|nr tel|komorkowy|dzwon*|mobil*|telefonni"),
    (Class::Mail, "poczta|maila|mailem|mail|mailowy|e-maila|adres e-mail|email|e-mailu"),
    (Class::Name, "uzytkownik|nazwa uzytkownika|nick|konto|profil|uzivatel|jmeno|prezdivka"),
    (
        Class::Site,
        "portfolio|moja strona|mojej stronie|strona|stronie|stronka|moje prace|web|webu|stranky|strankach|moje stranky",
    ),
    (Class::Not, "nie|nigdy|bez|prosze nie|ne|nikdy|zadne"),
    // Russian, Ukrainian, Bulgarian, Serbian
    (
        Class::Reach,
        "пишите|пиши|напишите|напиши|написать|пишите мне|звоните|звони|позвоните|позвони|наберите|набери|свяжитесь|свяжись|связаться|связь|связи|для связи|на связи|мои контакты|мой контакт|контакты|найдите меня|найди меня|найти меня|меня найти|добавь|добавьте|добавляйся|добавляйтесь|скиньте|скинь|пришлите|присылайте|пришли|отправьте|отправляйте|кидай|кидайте|стучите|стучи|стучитесь|я в|я на|меня можно|ищите|ищи меня|подпишись|общаться в|обсудим в|перейдем в|давайте в|давай в|лучше в|вне платформы|запишитесь|забронируйте|записаться|мой сайт|смотрите мо*|посмотрите мо*|вот мо*|маякните|доступен|доступна|\
        пишіть|напишіть|телефонуйте|дзвоніть|подзвоніть|зателефонуйте|зв'яжіться|зв'язатися|зв'язок|зв'язку|зв'язок|знайдіть мене|знайти мене|мене знайти|додайте|додай|надішліть|надсилайте|скиньте|мої контакти|мій контакт|контакт|ось мій|ось моя|ось мої|поспілкуємось|запишіться|дзвони|\
        обадете се|пишете ми|пишете на|свържете се|намерите ме|потърсете ме|добавете ме|изпратете|јавите се|јави се|пиши ми|контактирајте|javite se|javi se|pisite|pisi mi|kontaktirajte|nazovite|pozovite|dodajte me|nadite me",
    ),
    (
        Class::Mine,
        "мой|моя|моё|мое|мои|моего|моей|моем|моим|меня|мне|наш|мій|моє|мої|моєму|мені|мен|ми|моят|моята|moj|moja|moje|мојa|мој|моја",
    ),
    (
        Class::Phone,
        "телефон*|тел|тел.|мобильн*|сотов*|моб|звон*|звоните|позвон*|смс|мобільн*|дзвін*|дзвон*|мобилен|ватсап*|вотсап*|вайбер*|число телефона|mobitel",
    ),
    (
        Class::Mail,
        "почт*|мейл*|майл*|мыло|мылу|имейл*|емейл*|e-mail|пошт*|скриньк*|имэйл*|електронн*|адрес*|мэйл*",
    ),
    (
        Class::Name,
        "ник|никнейм|логин|юзернейм|имя пользователя|аккаунт*|профиль|профіль|нік|логін|акаунт*|канал|имя|айди|id|под ником|никнейма",
    ),
    (
        Class::Site,
        "портфолио|портфоліо|мой сайт|моем сайте|мой блог|моя страница|сайте|сайт|мій сайт|мої роботи|мои работы|резюме|страница|страничк*",
    ),
    (Class::Not, "не|нет|никогда|без|запрещ*|нельзя|ні|ніколи|немає|заборон*|просьба не|није|ne|nikad"),
    // Turkish, Azerbaijani, Kazakh, Uzbek
    (
        Class::Reach,
        "bana ulas*|ulasabil*|ulasin|ulasmak|ulas|bana yaz*|yazin|yazabil*|yaz|beni ara*|arayin|arayabil*|ara beni|ara|iletisim*|iletisime|mesaj at*|mesaj*|mail at*|bana gonder*|gonderin|gonder|ekle|ekleyin|beni bul|bulabil*|takip et|uzerinden|konusalim|gorusalim|gorusme ayarla|randevu*|sitemi ziyaret|platform disi*|mene yaz*|elaqe|zeng ed*|bog'lan*|yozing|qo'ng'iroq|хабарлас*|жаз|жазыңыз|қоңырау*",
    ),
    (Class::Mine, "benim|bana|beni|sitem|sayfam|hesabim|numaram|mailim|adresim|mening|менің"),
    (Class::Phone, "telefon*|tel|cep|cepten|gsm|hatt*|телефон*"),
    (Class::Mail, "e-posta*|eposta*|posta|mail*|elektron pocht*|pocht*|пошта*"),
    (Class::Name, "kullanici ad*|kullanici|hesap|hesabi*|profil*|nick*|adim|istifadeci|adiyla"),
    (Class::Site, "portfolyo*|portfoy*|websitem|web sitem|sitem|sitemde|sitesi|internet sitem|calismalarim"),
    (Class::Not, "degil|yok|asla|olmadan|yasak|lutfen"),
    // Greek, Hungarian, Swedish, Danish, Norwegian, Finnish, Estonian, Lithuanian, Latvian
    (
        Class::Reach,
        "επικοινωνησ*|επικοινωνια|επικοινωνιας|γραψτε μου|γραψε μου|καλεστε|καλεσε|παρτε με|παρε με|τηλεφωνηστε|στειλτε|στειλε|βρειτε με|βρες με|προσθεσ*|με βρισκεις|ειμαι στο|\
        hivj*|hivjon|irj*|irjon|keress*|keressen|elerhet*|elerhetoseg*|kuldj*|kuldje|vegyel fel|megtalalsz|ott vagyok|\
        kontakta mig|kontakta|ring mig|ring|ringa|hor av dig|hor av er|maila mig|maila|mejla|mejla mig|skriv till mig|skriv till|skicka|nas pa|na mig|natt mig|hitta mig|hittar mig|lagg till mig|finns pa|boka|messa|smsa|\
        kontakt mig|kontakt meg|ring til mig|ring til meg|ring til|skriv til mig|skriv til meg|skriv til|send mig|send meg|fang mig|finn meg|finder mig|finner meg|tilfoj mig|legg meg til|nå meg|traeffes|\
        ota yhteytta|yhteytta|soita|soittaa|laita viesti|viesti*|kirjoita|laheta|loydat minut|tavoitat|tavoittaa|varaa|lisaa minut|\
        kirjuta|helista|vota uhendust|leiad mind|saada|rasykite|skambinkite|susisiekite|rasyk|skambink|rakstiet|zvaniet|sazinieties|raksti|zvani",
    ),
    (Class::Mine, "μου|μας|enyem|sajat|min|mitt|mina|mine|mit|mijn|minun|mun|minu|mano|mans|mana"),
    (
        Class::Phone,
        "τηλεφωνο|τηλ|τηλ.|κινητο|κλη*|telefon*|tel|mobil*|tlf|puhelin*|puh|telefoni*|telefonas|talrunis",
    ),
    (
        Class::Mail,
        "ημειλ|μειλ|ηλεκτρονικ*|e-mail*|email*|mejl*|mailen|epost*|e-post|sahkoposti*|sposti*|meili*|el pastas|pastu|pasts|epasts",
    ),
    (
        Class::Name,
        "χρηστης|ονομα|προφιλ|felhasznalo*|nev|neven|profil|anvandarnamn|anvandare|heter|konto|brugernavn|brukernavn|kayttajatunnus|nimimerkki|tunnus|nimi|kasutajanimi|vartotojas|lietotajs",
    ),
    (
        Class::Site,
        "ιστοσελιδα|σελιδα μου|portfolio|πορτφολιο|honlap*|weboldal*|oldalam|hemsida*|min sida|hjemmeside*|nettside*|kotisivu*|sivuni|koduleht|svetain*|majaslap*",
    ),
    (
        Class::Not,
        "μην|δεν|οχι|χωρις|ποτε|ne|nem|nelkul|soha|inte|ej|aldrig|utan|ikke|uden|uten|aldri|alka|ei|ilman|aga|nav|bez",
    ),
    // Arabic, Persian, Urdu, Hebrew
    (
        Class::Reach,
        "تواصل|تواصلوا|للتواصل|التواصل|راسلني|راسلوني|راسلنا|اتصل|اتصل بي|اتصلوا|كلمني|كلموني|ابعث|ابعثلي|ارسل|أرسل|ارسلي|اضفني|أضفني|ضيفني|تجدني|تلاقيني|تابعني|على الرقم|احجز|زوروا|هذا رقمي|حسابي|تماس بگیر*|تماس|پیام بده*|پیام بدید|بفرست*|ایمیل بزن*|رابطہ|رابطہ کریں|کال کریں|میسج کریں|بھیجیں|\
        צור קשר|צרו קשר|ליצור קשר|תתקשר*|התקשר*|תכתוב*|כתבו לי|כתוב לי|תשלח*|שלחו|שלח לי|שלח|דברו איתי|דבר איתי|תמצא אותי|תמצאו אותי|תוסיף אותי|תוסיפו אותי|זמין ב*|לקביעת|אפשר להשיג אותי|להשיג אותי",
    ),
    (
        Class::Mine,
        "رقمي|ايميلي|إيميلي|بريدي|حسابي|موقعي|معرفي|لي|عندي|شماره من|ایمیل من|من|میرا|میری|میرے|שלי|המספר שלי",
    ),
    (
        Class::Phone,
        "رقمي|هاتف|هاتفي|الهاتف|جوال|جوالي|الجوال|موبايل|موبايلي|تلفون|تليفون|اتصل|تلفن|موبایل|نمبر|فون|موبائل|טלפון|הטלפון|נייד|הנייד|פלאפון",
    ),
    (
        Class::Mail,
        "بريد|بريدي|البريد|ايميل|ايميلي|إيميل|إيميلي|الايميل|الإيميل|ایمیل|ای میل|מייל|המייל|אימייל|דואל|במייל",
    ),
    (
        Class::Name,
        "معرف|معرفي|يوزر|يوزري|اسم المستخدم|حساب|حسابي|آیدی|ایدی|آی دی|نام کاربری|یوزر نیم|אידי|שם משתמש|משתמש|פרופיל|בשם",
    ),
    (
        Class::Site,
        "موقعي|موقع|أعمالي|اعمالي|معرض اعمالي|بورتفوليو|وبسایت|سایت|نمونه کارها|پورٹ فولیو|האתר שלי|אתר|באתר|תיק עבודות",
    ),
    (Class::Not, "لا|لن|بدون|ممنوع|ليس|الرجاء عدم|عدم|نه|نکن*|نکنید|نہ|نہیں|مت|לא|אל|אין|בלי|אסור|נא לא"),
    // Hindi, Bengali, Tamil, Telugu, Marathi; romanised too
    (
        Class::Reach,
        "संपर्क|सम्पर्क|कॉल करें|कॉल करो|कॉल कर|मैसेज करें|मैसेज करो|मैसेज|लिखें|लिखिए|भेजें|भेजिए|भेज दें|बात करें|बात करते|जोड़ें|ऐड करें|फोन करें|फ़ोन करें|मुझे|यहाँ मिलें|যোগাযোগ|কল করুন|কল দিন|মেসেজ|মেইল করুন|লিখুন|পাঠান|পাঠাবেন|আমাকে|தொடர்பு|அழைக்க*|அனுப்ப*|సంప్రదించ*|కాల్ చేయ*|पाठवा|संपर्क करा|\
        mujhe call|call karo|call karein|call kare|call kar|call kijiye|phone karo|message karo|message karein|msg karo|msg kar|mail karo|mail kar|contact karo|contact karein|contact kar|mujhe|yahan|bhejo|bhej do|bhejiye|baat karte|baat karo|baat karein|add karo|add kar lo|ping karo|whatsapp karo|whatsapp kar|jogajog|call den|phone koren|likhun|pathan",
    ),
    (Class::Mine, "मेरा|मेरी|मेरे|हमारा|আমার|என்|எனது|నా|माझा|माझे|माझी|mera|meri|mere|hamara|amar"),
    (Class::Phone, "फोन|फ़ोन|मोबाइल|कॉल|ফোন|মোবাইল|কল|தொலைபேசி|போன்|ఫోన్|phone pe|फोन नंबर"),
    (Class::Mail, "ईमेल|मेल|इमेल|ইমেইল|ইমেল|মেইল|மின்னஞ்சல்|ఇమెయిల్|ई-मेल"),
    (Class::Name, "आईडी|यूज़रनेम|यूजरनेम|आइडी|অ্যাকাউন্ট|ইউজারনেম|আইডি|ஐடி|ఐడి|naam|username hai"),
    (
        Class::Site,
        "पोर्टफोलियो|वेबसाइट|পোর্টফোলিও|ওয়েবসাইট|ওয়েবসাইট|வலைத்தளம்|వెబ్‌సైట్|meri website|mera portfolio|mera kaam",
    ),
    (Class::Not, "नहीं|मत|न|ना|बिना|না|নয়|ছাড়া|வேண்டாம்|వద్దు|nahi|nahin|bina|"),
    // Chinese
    (
        Class::Reach,
        "联系我|聯繫我|聯絡我|联系方式|聯絡方式|聯繫方式|联络我|联系|聯絡|聯繫|加我|加一下|加个|加我的|请加|請加|可加|打给我|打電話|打电话|给我打|致电|發給我|发给我|发到|發到|发送到|寄到|寄给我|私信|私聊|扫码|掃碼|找我|搜索|搜我|搜尋|关注我|關注我|详谈|詳談|细聊|沟通|直接找|留言给我|我的联系|站外|平台外|预约|預約|写信|寫信|来信|call我",
    ),
    (Class::Mine, "我的|我|本人|咱|咱们"),
    (Class::Phone, "电话|電話|手机|手機|手机号|手機號|座机|热线|打给|致电|短信|簡訊|电联|微信同号|同号|来电"),
    (Class::Mail, "邮箱|郵箱|邮件|郵件|电邮|電郵|信箱|邮址|伊妹儿|邮箱地址"),
    (Class::Name, "号|號|账号|帳號|帐号|用户名|用戶名|昵称|暱稱|id|名字|微信号|微信號|名称"),
    (
        Class::Site,
        "作品集|个人网站|個人網站|个人主页|個人主頁|我的网站|我的網站|主页|主頁|博客|部落格|简历|履歷",
    ),
    (Class::Not, "不要|不可|不能|请勿|請勿|禁止|别|別|不得|勿|无需|無需|不允许|不允許|没有|不会|不"),
    // Japanese
    (
        Class::Reach,
        "連絡ください|連絡下さい|連絡を|ご連絡|連絡先|お電話|電話ください|電話して|メールください|メールして|追加してください|追加して|友達追加|登録して|フォローして|お問い合わせ|問い合わせ|送ってください|送信して|こちらまで|までお願い|までどうぞ|話しましょう|やり取り|直接|検索して|予約|ご予約|までご連絡|dmください|dmして|外部で",
    ),
    (Class::Mine, "私の|僕の|わたしの|個人の|自分の|当方"),
    (Class::Phone, "電話|携帯|でんわ|お電話|ケータイ|スマホ|tel"),
    (Class::Mail, "メール|メルアド|メアド|アドレス|eメール|mail"),
    (Class::Name, "アカウント|ユーザー名|ユーザーネーム|名前|id|アイディー|ハンドル"),
    (Class::Site, "ポートフォリオ|ホームページ|サイト|ブログ|個人サイト|作品"),
    (Class::Not, "ないで|しないで|禁止|不可|できません|ません|なしで|お断り|ご遠慮|避けて|ないでください"),
    // Korean
    (
        Class::Reach,
        "연락|연락주세요|연락 주세요|연락처|연락해|전화주세요|전화 주세요|전화해|전화 부탁|문자|메일 주세요|메일주세요|보내주세요|보내 주세요|보내|추가해|추가 해|친추|찾아|검색|문의|톡 주세요|톡주세요|디엠|dm 주세요|팔로우|예약|이야기해요|얘기해요|이쪽으로|로 부탁|답장",
    ),
    (Class::Mine, "제|내|저의|저희|개인"),
    (Class::Phone, "전화|전화번호|휴대폰|핸드폰|폰|문자|폰번호|연락처"),
    (Class::Mail, "메일|이메일|이메일주소|멜"),
    (Class::Name, "아이디|계정|닉네임|유저네임|이름|id"),
    (Class::Site, "포트폴리오|홈페이지|사이트|웹사이트|블로그|이력서"),
    (Class::Not, "마세요|마십시오|금지|않|안|없이|말고|하지|불가"),
    // Vietnamese, Indonesian, Malay, Tagalog, Thai, Swahili, Yoruba, Afrikaans, Amharic
    (
        Class::Reach,
        "lien he|goi cho|goi toi|goi minh|goi so|goi|nhan tin|nhan cho|gui cho|gui qua|gui ve|gui toi|viet cho|ket ban|add zalo|qua zalo|tim toi|tim minh|trao doi qua|noi chuyen qua|dat lich|ib minh|ib|inbox minh|dat hen|\
        hubungi|menghubungi|kontak saya|kontak|telepon saya|telepon ke|chat saya|chat ke|chat aja|chat di|wa saya|wa aja|wa ke|sms saya|kirim ke|kirim|email saya|email ke|tambahkan saya|tambah saya|add saya|cari saya|temukan saya|cek portofolio|kunjungi|lihat|ngobrol di|lanjut di|bicara di|japri|dm saya|dm aja|jadwalkan|booking|telefon saya|mesej saya|mesej|emel ke|emel saya|\
        tawagan|tawag|i-text|itext|text mo|text niyo|i-message|i-msg|message mo|imessage|kontakin|kontakin mo|kontakin niyo|i-add|iadd|add mo|add niyo|hanapin|email mo|email niyo|i-email|padala|ipadala|pm mo|pm niyo|mag-usap|usap tayo|sa labas|makontak|\
        ติดต่อ|โทร|โทรหา|แอด|เพิ่มเพื่อน|ทัก|ส่งมา|ส่งไปที่|ส่งเมล|อีเมลมา|คุยกัน|คุยต่อ|หาได้ที่|จอง|wasiliana|nipigie|piga simu|nitumie|tuma|niandikie|nitafute|pe mi|kan si mi|bel my|skryf vir my|stuur vir my|kry my|ደውል*|አግኙኝ|ጻፍ*",
    ),
    (
        Class::Mine,
        "cua toi|cua minh|toi la|minh la|toi|minh|saya|aku|ku|ko|aking|akin|namin|ของฉัน|ของผม|ผม|ฉัน|yangu|wangu|langu|mi|my|የእኔ",
    ),
    (
        Class::Phone,
        "dien thoai|so dien thoai|sdt|hotline|di dong|goi|alo|telepon|telpon|telp|hp|no hp|no wa|telefon|cp|cp number|cellphone|contact number|โทรศัพท์|เบอร์|เบอร์โทร|มือถือ|โทร|simu|selfoon|ስልክ",
    ),
    (
        Class::Mail,
        "thu|hop thu|dia chi mail|mail|email|surel|emel|อีเมล|อีเมล์|เมล|barua pepe|e-pos|ኢሜይል|imeeli",
    ),
    (Class::Name, "tai khoan|ten|nick|id|akun|nama|user|ไอดี|ชื่อ|ไอดีไลน์|akaunti|jina|akaun|pangalan"),
    (
        Class::Site,
        "trang web|trang ca nhan|website|portfolio|web cua|ho so|portofolio|situs|laman|web saya|เว็บไซต์|พอร์ต|พอร์ตโฟลิโอ|ผลงาน|tovuti|webwerf",
    ),
    (
        Class::Not,
        "khong|dung|dung co|cam|chua|tidak|jangan|tanpa|bukan|dilarang|hindi|huwag|wag|walang|bawal|ห้าม|ไม่|อย่า|usi*|hapana|bila|moenie|nie|አይ*",
    ),
    // Georgian, Armenian, Burmese, Khmer, Lao, Sinhala, Gujarati, Punjabi, Kannada, Malayalam, Amharic, Albanian, Slovene, Icelandic, Irish, Welsh, Somali, Hausa, Zulu
    (
        Class::Reach,
        "მომწერე*|დამირეკე*|დარეკე*|მიპოვი*|დამიკავშირდ*|გამომიგზავნ*|գրեք|գրիր|զանգիր|զանգահարեք|կապվեք|ဆက်သွယ်|ခေါ်|ဖုန်းဆက်|ရေးပါ|ပို့ပါ|ទាក់ទង|តេមក|ផ្ញើ|ຕິດຕໍ່|ໂທ|අමතන්න|කතා කරන්න|එවන්න|સંપર્ક|કૉલ કરો|કોલ કરો|મોકલો|ਸੰਪਰਕ|ਕਾਲ ਕਰੋ|ಸಂಪರ್ಕಿಸಿ|ಕರೆ ಮಾಡಿ|ವಾಟ್ಸಾಪ್ ಮಾಡಿ|ബന്ധപ്പെടുക|വിളിക്ക*|അയക്ക*|ደውሉ|ጻፉልኝ|ያግኙኝ|me kontakto|me shkruani|me telefononi|me gjeni|shkruaj|pisite mi|poklicite|pokliči|poklicite me|najdete me|kontaktirajte me|hafdu samband|hringdu|sendu|glaoigh|scriobh|cysylltwch|ffoniwch|igu soo wac|ila soo xiriir|kira ni|tuntube ni|ngishayele|xhumana",
    ),
    (
        Class::Phone,
        "ტელეფონ*|მობილურ*|հեռախոս*|ဖုန်း|ဖုန်းနံပါတ်|ទូរស័ព្ទ|ໂທລະສັບ|දුරකථන|ફોન|મોબાઇલ|ਫੋਨ|ಫೋನ್|ഫോൺ|മൊബൈൽ|ስልክ|ስልኬ|celular|telefoni|telefonska|simi|simanumer|uimhir|fon|rhif|taleefan*|waya|ucingo|утас*",
    ),
    (
        Class::Mail,
        "მეილ*|იმეილ*|ელფოსტ*|էլ. փոստ|էլփոստ|մեյլ*|အီးမေးလ်|អ៊ីមែល|ອີເມວ|ඊමේල්|ઈમેલ|ઇમેઇલ|ਈਮੇਲ|ಇಮೇಲ್|ഇമെയിൽ|ኢሜይል|posta elektronike|e-posta|netfang|tolvupost|riomhphost|ebost|iimayl|имэйл|и-мэйл",
    ),
    (
        Class::Mine,
        "ჩემი|ჩემს|իմ|ကျွန်တော့်|ကျွန်မ|របស់ខ្ញុំ|ຂອງຂ້ອຍ|මගේ|મારો|મારી|મારું|ਮੇਰਾ|ਮੇਰੀ|ನನ್ನ|എന്റെ|የኔ|im|ime|tim|moj|minn|mitt|mo|fy|kayga|миний",
    ),
    (Class::Not, "არ|ნუ|մի|չ|မ|កុំ|ບໍ່|එපා|ના|નહીં|ਨਹੀਂ|ನಾ|ಬೇಡ|അരുത്|አታ*|mos|ekki|na|peidiwch|ha|kada|битгий"),
];
