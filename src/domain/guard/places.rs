//! Where links and addresses lead: hosts by what is behind them, and top-level domains.

use std::collections::HashMap;
use std::sync::LazyLock;

use anteroom_protocol::guard::ContactRule;

// The top-level domains that names of people's mail and pages end in. Country codes are all there; of the others the common ones.
word_set!(
    TLDS,
    "com|org|net|info|biz|edu|gov|mil|int|name|pro|mobi|coop|aero|asia|cat|jobs|tel|travel|xxx|post|museum|\
    app|dev|page|blog|site|website|online|store|shop|tech|cloud|space|art|design|studio|agency|digital|media|world|life|live|xyz|club|top|vip|icu|fun|work|works|\
    email|link|click|guru|expert|consulting|company|solutions|services|systems|software|network|group|team|zone|center|today|news|press|social|chat|bio|cv|resume|\
    photo|photos|photography|pictures|gallery|graphics|ink|video|film|music|audio|marketing|business|ventures|capital|finance|fund|legal|law|health|care|fitness|yoga|\
    academy|school|education|training|institute|university|academy|coach|engineer|engineering|contractors|directory|freelance|one|plus|best|ltd|inc|llc|gmbh|london|berlin|\
    paris|nyc|tokyo|moscow|istanbul|amsterdam|wien|africa|lat|eus|gal|swiss|quebec|codes|computer|host|hosting|domains|wiki|tools|tips|rocks|ninja|cool|games|gg|\
    ac|ad|ae|af|ag|ai|al|am|ao|ar|as|at|au|aw|ax|az|ba|bb|bd|be|bf|bg|bh|bi|bj|bm|bn|bo|br|bs|bt|bw|by|bz|ca|cc|cd|cf|cg|ch|ci|ck|cl|cm|cn|co|cr|cu|cv|cw|cx|cy|cz|\
    de|dj|dk|dm|do|dz|ec|ee|eg|er|es|et|eu|fi|fj|fk|fm|fo|fr|ga|gb|gd|ge|gf|gg|gh|gi|gl|gm|gn|gp|gq|gr|gs|gt|gu|gw|gy|hk|hm|hn|hr|ht|hu|id|ie|il|im|in|io|iq|ir|is|it|\
    je|jm|jo|jp|ke|kg|kh|ki|km|kn|kp|kr|kw|ky|kz|la|lb|lc|li|lk|lr|ls|lt|lu|lv|ly|ma|mc|md|me|mg|mh|mk|ml|mm|mn|mo|mp|mq|mr|ms|mt|mu|mv|mw|mx|my|mz|na|nc|ne|nf|ng|ni|\
    nl|no|np|nr|nu|nz|om|pa|pe|pf|pg|ph|pk|pl|pm|pn|pr|ps|pt|pw|py|qa|re|ro|rs|ru|rw|sa|sb|sc|sd|se|sg|sh|si|sk|sl|sm|sn|so|sr|ss|st|su|sv|sx|sy|sz|tc|td|tf|tg|th|tj|\
    tk|tl|tm|tn|to|tr|tt|tv|tw|tz|ua|ug|uk|us|uy|uz|va|vc|ve|vg|vi|vn|vu|wf|ws|ye|yt|za|zm|zw|рф|укр|срб|бг|бел|мкд|қаз|中国|中國|香港|台灣|台湾|公司|网络|한국|भारत|ভারত|امارات|السعودية|مصر|ελ|ком|کام|كوم|कॉम|কম|コム|컴|קום|κομ|คอม|காம்|కామ్|नेट|নেট|ネット|넷|точкаком"
);

// Those of them by which files are called too, or words of a sentence: alone they tell nothing.
word_set!(
    FILES,
    "|py|rs|md|sh|pl|ps|cc|so|am|is|it|in|to|as|at|be|by|do|me|my|no|us|we|id|so|st|la|im|vi|hm|mp|gp|ms|ml|mm|ma|mo|sc|pm|ai|app|pro|net|js|ts|go|zip|mov|py|re|se|si|su|tm|tv|cat|post|work|works|page|link|live|life|one|plus|best|top|fun|name|info|design|media|email|chat|art|video|music|news|team|zone|shop|store|site|tools|in|de|en|es|la|el|un|ne|na|nu|va|os|do|da|sa|ya|cv|bio|resume|photo|"
);

word_set!(
    COMMON_TLDS,
    "|com|net|org|ru|de|fr|it|es|pt|br|uk|pl|ua|in|co|cn|jp|kr|tr|ir|il|id|vn|gr|ro|cz|hu|se|nl|be|ch|at|me|io|by|kz|ком|ру|"
);

// Providers of mailboxes for people.
word_set!(
    PROVIDERS,
    "gmail|googlemail|hotmail|outlook|yahoo|ymail|rocketmail|protonmail|proton|pm|icloud|yandex|zoho|aol|gmx|tutanota|tuta|fastmail|mail|inbox|bk|list|rambler|web|libero|virgilio|orange|wanadoo|laposte|\
    free|sfr|naver|daum|hanmail|nate|qq|163|126|sina|sohu|foxmail|aliyun|rediffmail|seznam|centrum|wp|onet|interia|o2|op|abv|ukr|i|meta|tlen|mailbox|posteo|hey|live|msn|me|mac|uol|bol|terra|ig|walla|bezeqint|\
    docomo|ezweb|softbank|excite|bigpond|btinternet|virginmedia|shaw|telus|comcast|verizon|att|cox|earthlink|t-online|freenet|arcor|bluewin|telenet|skynet|ziggo|kpnmail|tiscali|alice|tin|otenet|freemail|citromail|azet|\
    джимейл|гмейл|гмаил|жмайл|жмейл|яндекс|мейл|майл|рамблер|谷歌邮箱|जीमेल|জিমেইল|جيميل|ياهو|هوتميل|جی میل|جیمیل|آؤٹ|یاہو|지메일|네이버|ジーメール|جيمايل|ג'ימייל|ג׳ימייל|джмейл|gmeil|gmial|gmai|gmal|gimail|geemail|jmail|gmeyl|gimeyl|укр"
);
// Those whose name is a word for nothing else.
word_set!(
    SURE_PROVIDERS,
    "gmail|googlemail|hotmail|ymail|rocketmail|protonmail|icloud|yandex|gmx|tutanota|rambler|hanmail|rediffmail|foxmail|seznam|outlook|yahoo|proton|naver|qq|163|126|aol|zoho|libero|seznam|onet|interia|uol|abv|hey|fastmail|\
    джимейл|гмейл|гмаил|жмайл|жмейл|яндекс|рамблер|谷歌邮箱|जीमेल|জিমেইল|جيميل|هوتميل|جیمیل|지메일|ジーメール|gmeil|gmial|gmai|gmal|gimail|geemail|jmail|gmeyl"
);

/// Names that stand for any name (RFC 2606, and what people use instead).
const RESERVED: [&str; 19] = [
    "internal",
    "lan",
    "localdomain",
    "intranet",
    "corp",
    "example.com",
    "example.org",
    "example.net",
    "example.edu",
    "example.io",
    "example.co",
    "example.de",
    "example.fr",
    "example.co.uk",
    "localhost",
    "local",
    "test",
    "invalid",
    "example",
];
word_set!(
    PLACEHOLDER_DOMAINS,
    "|domain.com|company.com|test.com|yourdomain.com|your-domain.com|yourcompany.com|mydomain.com|mycompany.com|website.com|site.com|foo.com|bar.com|foobar.com|acme.com|provider.com|host.com|server.com|domain.tld|somewhere.com|dominio.com|empresa.com|firma.de|domaine.fr|test.io|foo.bar|"
);
word_set!(
    PLACEHOLDER_NAMES,
    "|user|username|users|name|your|you|yourname|your.name|test|tester|foo|bar|someone|somebody|email|me|admin|info|first.last|firstname.lastname|john.doe|jane.doe|johndoe|janedoe|customer|client|hello|support|usuario|nombre|nom|prenom.nom|max.mustermann|mustermann|jan.kowalski|user1|test1|test123|"
);

/// Hosts that lead to a person, by what is there; a path behind a slash has to be there too, and `*` is any.
const PERSONAL: &[(ContactRule, &str)] = &[
    (
        ContactRule::MessengerLink,
        "wa.me|api.whatsapp.com|chat.whatsapp.com|whatsapp.com/channel|web.whatsapp.com/send|wa.link|walink.co|t.me|telegram.me|telegram.dog|tlgrm.eu|m.me|messenger.com/t|discord.gg|discord.com/invite|discord.com/users|discordapp.com/users|\
        discord.me|signal.me|signal.group|line.me|lin.ee|page.line.me|viber.com|vb.me|invite.viber.com|chats.viber.com|join.skype.com|skype.com/*|weixin.qq.com|u.wechat.com|wechat.com/*|wpa.qq.com|qm.qq.com|open.kakao.com|pf.kakao.com|kakao.com/*|zalo.me|threema.id|\
        matrix.to|keybase.io|session.org/*|imo.im|icq.im|icq.com/people|join.slack.com|slack.com/shared|msng.link|ig.me|snapchat.com/add|snapchat.com/t|kik.me|teams.live.com|eitaa.com|rubika.ir|ble.ir|botim.me|groupme.com/join|whatsapp.com/dl|telegra.ph|teleg.run|vm.me|max.ru|simplex.chat|wire.com/u",
    ),
    (
        ContactRule::ProfileLink,
        "linkedin.com/in|linkedin.com/pub|lnkd.in|facebook.com/*|fb.com/*|fb.me/*|m.facebook.com/*|instagram.com/*|instagr.am/*|twitter.com/*|x.com/*|mobile.twitter.com/*|tiktok.com/*|threads.net/*|threads.com/*|vk.com/*|vk.ru/*|vkontakte.ru/*|ok.ru/*|weibo.com/*|xing.com/profile|\
        youtube.com/@|youtube.com/c|youtube.com/user|youtube.com/channel|twitch.tv/*|pinterest.com/*|behance.net/*|dribbble.com/*|be.net/*|deviantart.com/*|artstation.com/*|soundcloud.com/*|vimeo.com/user|medium.com/@|reddit.com/user|reddit.com/u|bsky.app/profile|mastodon.social/@|mstdn.social/@|quora.com/profile|\
        linktr.ee|sites.google.com/view|sites.google.com/site|bio.link|beacons.ai|about.me|lnk.bio|taplink.cc|carrd.co|campsite.bio|solo.to|linkin.bio|hoo.be|allmylinks.com|contactinbio.com|bio.site|msha.ke|flow.page|linkpop.com|heylink.me|tap.bio|snipfeed.co|koji.to|stan.store|komi.io|direct.me|gravatar.com/*|\
        upwork.com/freelancers|fiverr.com/*|freelancer.com/u|peopleperhour.com/freelancer|toptal.com/resume|contra.com/*|malt.fr/profile|malt.de/profile|malt.com/profile|guru.com/freelancers|kwork.ru/user|fl.ru/users|wattpad.com/user|500px.com/p|flickr.com/people|flickr.com/photos|unsplash.com/@|clutch.co/profile|polywork.com/*|read.cv/*|peerlist.io/*|imdb.com/name|ko-fi.com/*|buymeacoffee.com/*|patreon.com/*|paypal.me|cash.app/*|venmo.com/*|douyin.com/user|zhihu.com/people|space.bilibili.com|note.com/*|habr.com/users|hh.ru/resume|crunchbase.com/person|wellfound.com/u|xiaohongshu.com/user",
    ),
    (
        ContactRule::BookingLink,
        "calendly.com|cal.com/*|calendar.app.google|calendar.google.com|meetings.hubspot.com|hubspot.com/meetings|app.hubspot.com/meetings|doodle.com/*|acuityscheduling.com|squareup.com/appointments|book.squareup.com|youcanbook.me|savvycal.com/*|tidycal.com/*|zcal.co|setmore.com|koalendar.com/e|koalendar.com/*|\
        outlook.office365.com|outlook.office.com/bookwithme|outlook.office.com/bookings|book.ms|bookings.cloud.microsoft|zoho.com/bookings|bookings.zoho.com|simplybook.me|simplymeet.me|oncehub.com|go.oncehub.com|appointlet.com|appoint.ly|picktime.com|schedulista.com|vcita.com|bookwhen.com|reclaim.ai|app.reclaim.ai|motion.app|usemotion.com|vyte.in|harmonizely.com|meetfox.com|10to8.com|timify.com|clockwise.app|getclockwise.com/c|\
        chilipiper.com|scheduleonce.com|meetme.so|fantastical.app|hey.com/cal|lunacal.ai|notion.so/cal|calendar.notion.so|topmate.io|superpeer.com|clarity.fm|intro.co|n8n.calendar|hellocalendar.io|appointy.com|booksy.com|fresha.com|trafft.com|planity.com|doctolib.fr|cogsworth.com|yclients.com|dikidi.net|reservio.com",
    ),
    (
        ContactRule::MeetingLink,
        "zoom.us/j|zoom.us/my|zoom.us/w|zoom.us/s|zoom.com/j|meet.google.com|g.co/meet|teams.microsoft.com/l|teams.live.com/meet|whereby.com/*|meet.jit.si|jitsi.org/*|webex.com/meet|webex.com/join|gotomeeting.com|gotomeet.me|global.gotomeeting.com|join.me|bluejeans.com|meet.zoho.com|telemost.yandex.ru|voovmeeting.com|meeting.tencent.com|bigbluebutton.org/b|livestorm.co/p|huddle.chat|around.co/r|gather.town/app|app.gather.town|skype.com/join|streamyard.com|riverside.fm/studio|daily.co/*|kmeet.infomaniak.com|ring.com/*",
    ),
    (
        ContactRule::FormLink,
        "forms.gle|docs.google.com/forms|forms.office.com|forms.microsoft.com|typeform.com|jotform.com|form.jotform.com|tally.so|airtable.com/shr|airtable.com/app|surveymonkey.com/r|123formbuilder.com|cognitoforms.com|formstack.com|wufoo.com|paperform.co|fillout.com|forms.yandex.ru|forms.zohopublic.com|form.typeform.com|getform.io|formspree.io|forms.clickup.com|form.run|survio.com|wj.qq.com|jinshuju.net|ngl.link|sarahah.com|tellonym.me|curiouscat.live|podia.com|heyform.net|forms.app|questionpro.com|zfrmz.com|hsforms.com|share.hsforms.com|share-eu1.hsforms.com",
    ),
    (
        ContactRule::FilesLink,
        "drive.google.com|docs.google.com/document|docs.google.com/spreadsheets|docs.google.com/presentation|photos.app.goo.gl|photos.google.com/share|dropbox.com|db.tt|wetransfer.com|we.tl|1drv.ms|onedrive.live.com|sharepoint.com|mega.nz|mega.io|box.com/s|app.box.com|icloud.com/*|share.icloud.com|disk.yandex.ru|yadi.sk|disk.yandex.com|cloud.mail.ru|mediafire.com|sendspace.com|send-anywhere.com|sendgb.com|transfernow.net|swisstransfer.com|smash.com|fromsmash.com|filemail.com|gofile.io|pcloud.com|u.pcloud.link|my.pcloud.com|terabox.com|1fichier.com|4shared.com|zippyshare.com|pan.baidu.com|pan.quark.cn|aliyundrive.com|alipan.com|weiyun.com|share.weiyun.com|lanzou.com|sync.com|workupload.com|hightail.com|spaces.hightail.com|file.io|anonfiles.com|notion.site|dropmefiles.com|files.fm|fex.net|firestorage.jp|gigafile.nu|datadeliver.net|sendbig.com|jumpshare.com|cloudapp.com|share.getcloudapp.com|droplr.com|ufile.io|bayfiles.com|uploadfiles.io|transferxl.com|nextcloud.com/s|drive.proton.me|internxt.com|degoo.com|idrive.com|frame.io|f.io|drive.filen.io|limewire.com|koofr.net",
    ),
    (
        ContactRule::ShortLink,
        "bit.ly|bitly.com/*|tinyurl.com|t.co|goo.gl|cutt.ly|is.gd|v.gd|rb.gy|ow.ly|shorturl.at|short.io|t.ly|s.id|rebrand.ly|buff.ly|adf.ly|bl.ink|tiny.cc|clck.ru|vk.cc|urlz.fr|shrtco.de|dub.sh|dub.co|lnk.to|lnk.ink|soo.gd|qr.ae|qrco.de|u.to|x.co|snip.ly|shorte.st|kutt.it|yourls.org|t.cn|url.cn|dwz.cn|suo.im|han.gl|me2.kr|vo.la|bityl.co|l.linklyhq.com|linkly.link|surl.li|surl.lu|onelink.to|onelink.me|app.link|page.link|page.goo.gl|bom.so|ouo.io|git.io|amzn.to|gg.gg|tiny.one|ln.run|2u.lc|encurtador.com.br|encr.pw|acesse.one|shre.ink|urlis.net|kisa.link|kisalt.in|b.link|go.ly|1url.com|l.ead.me|abre.ai|n9.cl|acortar.link",
    ),
];

// Where everybody can have a page of one's own: what stands there under a name of its own is nobody else's.
word_set!(
    HOSTED,
    "wordpress.com|substack.com|medium.com|blogspot.com|tumblr.com|github.io|gitlab.io|netlify.app|vercel.app|wixsite.com|weebly.com|webflow.io|squarespace.com|myportfolio.com|livejournal.com|hashnode.dev|ghost.io|tilda.ws|framer.website|pages.dev|web.app|firebaseapp.com|herokuapp.com"
);
// Hosts that everybody knows, and where nobody is met: documentation, code, standards, shops, tools.
word_set!(
    PUBLIC,
    "github.com|githubusercontent.com|gist.github.com|gitlab.com|bitbucket.org|codeberg.org|sourceforge.net|sr.ht|stackoverflow.com|stackexchange.com|serverfault.com|superuser.com|askubuntu.com|docs.rs|crates.io|npmjs.com|npmjs.org|pypi.org|rubygems.org|packagist.org|nuget.org|pkg.go.dev|hex.pm|mvnrepository.com|maven.org|\
    readthedocs.io|readthedocs.org|rtfd.io|mozilla.org|wikipedia.org|wikimedia.org|wiktionary.org|wikidata.org|w3.org|w3schools.com|whatwg.org|ietf.org|rfc-editor.org|iso.org|unicode.org|ecma-international.org|openapis.org|asyncapi.com|json-schema.org|schema.org|json.org|oauth.net|openid.net|iana.org|owasp.org|\
    python.org|rust-lang.org|golang.org|go.dev|nodejs.org|reactjs.org|react.dev|vuejs.org|angular.io|angular.dev|svelte.dev|nextjs.org|nuxt.com|remix.run|astro.build|typescriptlang.org|kotlinlang.org|swift.org|php.net|ruby-lang.org|rubyonrails.org|laravel.com|symfony.com|djangoproject.com|palletsprojects.com|fastapi.tiangolo.com|spring.io|dart.dev|flutter.dev|reactnative.dev|expo.dev|\
    microsoft.com|learn.microsoft.com|apple.com|android.com|google.com|googleapis.com|amazon.com|aws.amazon.com|amazonaws.com|cloudflare.com|digitalocean.com|heroku.com|vercel.com|netlify.com|oracle.com|ibm.com|redhat.com|debian.org|ubuntu.com|archlinux.org|kernel.org|gnu.org|apache.org|nginx.org|nginx.com|postgresql.org|mysql.com|mariadb.org|sqlite.org|redis.io|mongodb.com|elastic.co|docker.com|kubernetes.io|helm.sh|terraform.io|hashicorp.com|ansible.com|\
    stripe.com|paypal.com|paypal-engineering.com|square.com|shopify.com|shopify.dev|woocommerce.com|wordpress.org|wordpress.com|wix.com|webflow.com|squarespace.com|drupal.org|joomla.org|magento.com|salesforce.com|hubspot.com|zapier.com|make.com|n8n.io|twilio.com|sendgrid.com|mailchimp.com|postmarkapp.com|mailgun.com|intercom.com|zendesk.com|atlassian.com|jira.com|trello.com|asana.com|notion.so|notion.com|monday.com|clickup.com|linear.app|airtable.com|slack.com|slack.dev|api.slack.com|discord.com|discord.js.org|discord.dev|zoom.us|figma.com|canva.com|adobe.com|sketch.com|miro.com|invisionapp.com|\
    core.telegram.org|telegram.org|whatsapp.com|developers.facebook.com|developer.twitter.com|developer.x.com|developers.line.biz|developers.google.com|developer.apple.com|developer.android.com|business.facebook.com|business.whatsapp.com|help.instagram.com|support.google.com|facebook.com|instagram.com|twitter.com|linkedin.com|tiktok.com|youtube.com|youtu.be|vimeo.com|reddit.com|medium.com|dev.to|hashnode.com|substack.com|quora.com|news.ycombinator.com|ycombinator.com|producthunt.com|hackernoon.com|freecodecamp.org|css-tricks.com|smashingmagazine.com|web.dev|caniuse.com|codepen.io|jsfiddle.net|codesandbox.io|replit.com|stackblitz.com|jsbin.com|\
    booking.com|airbnb.com|uber.com|lyft.com|tripadvisor.com|expedia.com|netflix.com|spotify.com|ebay.com|etsy.com|alibaba.com|aliexpress.com|walmart.com|target.com|ikea.com|zalando.com|zalando.de|amazon.de|amazon.co.uk|amazon.in|flipkart.com|mercadolibre.com|mercadolivre.com.br|olx.com|olx.pl|avito.ru|ozon.ru|wildberries.ru|rakuten.co.jp|taobao.com|jd.com|tmall.com|baidu.com|qq.com|yandex.ru|yandex.com|mail.ru|naver.com|coupang.com|shopee.com|lazada.com|tokopedia.com|bukalapak.com|gojek.com|grab.com|glovoapp.com|doordash.com|deliveroo.com|yelp.com|zillow.com|indeed.com|glassdoor.com|craigslist.org|upwork.com|fiverr.com|freelancer.com|toptal.com|\
    arxiv.org|doi.org|nature.com|sciencedirect.com|springer.com|ieee.org|acm.org|jstor.org|ncbi.nlm.nih.gov|pubmed.gov|who.int|un.org|europa.eu|gov.uk|usa.gov|irs.gov|nasa.gov|bbc.com|bbc.co.uk|cnn.com|nytimes.com|theguardian.com|reuters.com|bloomberg.com|forbes.com|techcrunch.com|wired.com|theverge.com|openai.com|anthropic.com|huggingface.co|kaggle.com|tensorflow.org|pytorch.org|scikit-learn.org|numpy.org|pandas.pydata.org|jupyter.org|r-project.org|tidyverse.org|\
    tailwindcss.com|getbootstrap.com|jquery.com|d3js.org|threejs.org|chartjs.org|webpack.js.org|vitejs.dev|vite.dev|babeljs.io|eslint.org|prettier.io|jestjs.io|playwright.dev|cypress.io|selenium.dev|graphql.org|apollographql.com|prisma.io|supabase.com|firebase.google.com|auth0.com|okta.com|keycloak.org|letsencrypt.org|openssl.org|semver.org|keepachangelog.com|conventionalcommits.org|creativecommons.org|opensource.org|spdx.org|choosealicense.com|swagger.io|postman.com|fonts.google.com|fontawesome.com|unsplash.com|pexels.com|pixabay.com|shutterstock.com|freepik.com|lottiefiles.com|unity.com|unrealengine.com|godotengine.org|blender.org|steampowered.com|itch.io|openstreetmap.org|mapbox.com|leafletjs.com|socket.io|node.js|asp.net|next.js|vue.js|three.js|react.js|express.js|ok.so|min.io|draw.io|diagrams.net|crypto.com|coinbase.com|binance.com|ethereum.org|bitcoin.org|solana.com|archive.org|gutenberg.org|tc39.es|man7.org|cppreference.com|isocpp.org|haskell.org|elixir-lang.org|erlang.org|ocaml.org|scala-lang.org|clojure.org|julialang.org|lua.org|perl.org|tldp.org|linuxfoundation.org|freedesktop.org|gnome.org|kde.org|videolan.org|ffmpeg.org|imagemagick.org|obsproject.com|regex101.com|jwt.io|crontab.guru|explainshell.com|godbolt.org"
);

/// By host: the paths that make it personal, each with its rule.
static PERSONAL_MAP: LazyLock<HashMap<&'static str, Vec<(&'static str, ContactRule)>>> =
    LazyLock::new(|| {
        let mut map: HashMap<&'static str, Vec<(&'static str, ContactRule)>> = HashMap::new();
        for (rule, list) in PERSONAL {
            for place in list.split('|').map(str::trim) {
                let (host, path) = place.split_once('/').unwrap_or((place, ""));
                map.entry(host).or_default().push((path, *rule));
            }
        }
        map
    });

/// Whether this is a top-level domain.
pub(super) fn is_tld(label: &str) -> bool {
    TLDS.contains(label)
}

/// Whether this is one that many addresses end in.
pub(super) fn is_common_tld(label: &str) -> bool {
    COMMON_TLDS.contains(label)
}

/// Whether a name that ends in this may as well be that of a file, or two words.
pub(super) fn is_ambiguous_tld(label: &str) -> bool {
    FILES.contains(label)
}

/// Whether a domain, or its first label, is that of a provider of mailboxes.
pub(super) fn is_provider(domain: &str) -> bool {
    let mut labels = domain.split('.');
    let first = labels.next().unwrap_or_default();
    match labels.next() {
        Some(_) => PROVIDERS.contains(first),
        None => SURE_PROVIDERS.contains(first),
    }
}

/// Whether it stands for any domain.
pub(super) fn is_reserved(domain: &str) -> bool {
    RESERVED.iter().any(|reserved| is_within(domain, reserved))
        || domain.split('.').rev().nth(1) == Some("example")
}

/// Whether a name stands for any name.
pub(super) fn is_placeholder_name(name: &str) -> bool {
    PLACEHOLDER_NAMES.contains(name)
}

/// Whether a domain is used where any would do.
pub(super) fn is_placeholder_domain(domain: &str) -> bool {
    PLACEHOLDER_DOMAINS.contains(domain)
}

fn is_within(domain: &str, parent: &str) -> bool {
    domain == parent || domain.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'))
}

/// What a place on the net is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It leads to a person, by this rule.
    Personal(ContactRule),
    /// Everybody knows it, and meets nobody there.
    Public,
    /// Nobody can tell.
    Unknown,
}

/// What is at this host under this path (without the slash it begins with).
pub(super) fn place(host: &str, path: &str) -> Place {
    let host = host.strip_prefix("www.").unwrap_or(host);
    let mut rest = Some(host);
    while let Some(name) = rest {
        let paths = PERSONAL_MAP.get(name).into_iter().flatten();
        if let Some((_, rule)) = paths.clone().find(|(wanted, _)| fits(wanted, path)) {
            // Where a network itself says something, nobody is met.
            let own = matches!(
                host.split('.').next(),
                Some(
                    "developers"
                        | "developer"
                        | "docs"
                        | "help"
                        | "support"
                        | "business"
                        | "api"
                        | "core"
                        | "status"
                        | "blog"
                        | "about"
                        | "ads"
                        | "newsroom"
                )
            );
            if !(own && name != host) {
                return Place::Personal(*rule);
            }
        }
        if HOSTED.contains(name) && name != host {
            return Place::Unknown;
        }
        if PUBLIC.contains(name) {
            return Place::Public;
        }
        rest = name.split_once('.').map(|(_, rest)| rest);
    }
    Place::Unknown
}

/// Whether one meets somebody at this host, whatever stands behind it.
pub(super) fn is_personal(host: &str) -> bool {
    matches!(place(host, "x"), Place::Personal(_))
}

// Paths of networks that lead to no person.
word_set!(
    OWN_PATHS,
    "|help|about|developers|developer|docs|business|policies|policy|legal|terms|privacy|jobs|careers|ads|login|signup|explore|search|hashtag|tags|tag|home|settings|api|oauth|sharer|sharer.php|share|intent|plugins|watch|results|feed|shorts|playlist|embed|categories|category|pricing|blog|press|features|marketplace|groups|events|support|security|gp|dp|i|p|reel|shots|gallery|search.php|support.php|features.php|discover|trending|sitemap|robots.txt|"
);

fn fits(wanted: &str, path: &str) -> bool {
    match wanted {
        "" => true,
        "*" => {
            let first = path.split(['/', '?', '#']).next().unwrap_or_default();
            !first.is_empty() && !OWN_PATHS.contains(first)
        }
        "@" => path.starts_with('@'),
        wanted => path.strip_prefix(wanted).is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(['/', '?', '#', '-']) || wanted == "user"
        }),
    }
}

/// Whether the text right before this byte is that of a link with a scheme, and no further than its host.
pub(super) fn is_authority_before(text: &str, at: usize) -> bool {
    let from = text.floor_char_boundary(at.saturating_sub(256));
    let before = text.get(from..at).unwrap_or_default();
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    word.rsplit_once("://").is_some_and(|(_, authority)| !authority.contains(['/', '?', '#']))
}

/// Whether the text right before this byte is that of a link with a scheme.
pub(super) fn has_scheme_before(text: &str, at: usize) -> bool {
    // Bounded, so that a text without blanks is not read again and again.
    let from = text.floor_char_boundary(at.saturating_sub(256));
    let before = text.get(from..at).unwrap_or_default();
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    word.contains("://")
}
