"""Every rule that a finding can name: its severity, what it means, and an example."""

from __future__ import annotations

from grader.checks.rule import Rule as Rule
from grader.checks.rule import error as _error
from grader.checks.rule import warning as _warning

# ---- the submission and its parts ----

EMPTY_SUBMISSION = _error(
    "empty-submission",
    "Nothing was handed in",
    "The folder or zip holds no file at all, so there is nothing to grade (exit code 5).",
    "An empty folder `submission/`, made before the generation script ran.",
)
BAD_ARCHIVE = _error(
    "bad-archive",
    "The submission as a whole can't be read",
    "The zip is damaged, names files outside of itself, has one name twice, or has far too many entries.",
    "An upload that broke off half-way.",
)
MISSING_DELIVERABLE = _error(
    "missing-deliverable",
    "A folder or file that must be handed in is not there",
    "Every problem names the folders and files that it is graded on. One without them earns nothing.",
    "No folder `acgan/` at the top of the submission.",
)
TOO_MANY_FILES = _error(
    "too-many-files",
    "A folder with far too many files",
    "The folder holds more names than any submission needs, so it was not looked through.",
    "60,000 files in `gan/`.",
)
TOO_FEW_OPTIONS = _error(
    "too-few-options",
    "Too few of the parts that one chooses among",
    "A problem may offer several methods or tips, of which some must be handed in. One counts when all its files are "
    "there.",
    "Two tips of ten where three are asked for.",
)
SAME_FILES = _warning(
    "same-files",
    "Two files of one option are the same, byte for byte",
    "What is compared should differ: a picture or a log with a tip and the one without it come of two trainings.",
    "`variants/tip1/without.png` is a copy of `variants/tip1/with.png`.",
)
MISPLACED = _error(
    "misplaced",
    "The right files lie in the wrong place",
    "Files in the right format were found, but in another folder, often one level too deep.",
    "`acgan/output/0_001.png` where `acgan/0_001.png` is expected.",
)
NOT_A_FILE = _error(
    "not-a-regular-file",
    "A link, pipe or device instead of a file",
    "Only regular files and folders are read. Links are never followed, since they can point anywhere.",
    "`gan/0001.png` is a symbolic link into the training data.",
)

# ---- image folders ----

MISSING_IMAGES = _error(
    "missing-images",
    "Fewer images than asked for",
    "The folder must hold the exact number of images. A missing image counts as a wrong one.",
    "990 images where 1000 are expected; `0_100.png` is one that is not there.",
)
MISSING_COUNTERPARTS = _error(
    "missing-counterparts",
    "Pictures without an image of the same name",
    "For each picture of a folder of the data, or of another folder of the submission, there must be one image of the "
    "same name, such as its reconstruction. One without an image counts as wrong.",
    "No `vae/reconstruction/40007.png` for the test image `40007.png`: the last incomplete batch was dropped.",
)
EXTRA_IMAGES = _error(
    "extra-images",
    "More images than asked for",
    "The folder must hold the exact number of images. Images beyond the format are not judged.",
    "`0_101.png`: the numbers end at 100.",
)
MISNAMED = _error(
    "misnamed",
    "File names that are not in the format",
    "The name carries the label and the number, so a name outside the format can't be judged. "
    "Separator, zero padding, order of the numbers and the extension (lower case) all count.",
    "`0-1.png` or `0_1.png` where `0_001.png` is expected; `0001.PNG` where `0001.png` is.",
)
ZERO_BASED = _error(
    "zero-based-numbers",
    "The numbering starts at 0 instead of 1",
    "Every class is numbered from one below the format's first number, so one name of each class is outside of the "
    "format and one is missing.",
    "`0_000.png` to `0_099.png` where `0_001.png` to `0_100.png` are expected.",
)
UNBALANCED = _error(
    "unbalanced-classes",
    "Too many images of one class, too few of another",
    "Every class must have the same, prescribed number of images.",
    "120 images of digit 3 and 80 of digit 7 where 100 of each are expected.",
)
WRONG_FORMAT = _error(
    "wrong-format",
    "The file is another format than its name says, or no image",
    "The first bytes of the file decide, not its name. Renaming a JPEG to .png does not convert it.",
    "`0001.png` is a JPEG inside.",
)
UNREADABLE = _error(
    "unreadable",
    "The file can't be read or decoded",
    "The file is truncated, damaged, empty or too large. It counts as missing.",
    "A PNG that ends in the middle, because the disk was full or a copy broke off.",
)
WRONG_SIZE = _error(
    "wrong-size",
    "Images of the wrong size",
    "Width and height must be exactly as asked, or the same for all images of a folder. Images of another size are not "
    "judged.",
    "32x32 pixels where 28x28 are expected.",
)
WRONG_MODE = _error(
    "wrong-mode",
    "Images that are not plain RGB",
    "Gray, palette and transparent images are other modes. Convert with `image.convert('RGB')` before saving.",
    "A gray 28x28 PNG where three channels are expected.",
)
WRONG_DEPTH = _error(
    "wrong-depth",
    "Images with more than 8 bits a channel",
    "Each channel must be stored with 8 bits. Multiply by 255, round, and convert to uint8 before saving.",
    "A PNG with 16 bits a channel.",
)
ANIMATED = _error(
    "animated",
    "Animated images",
    "A picture with several frames is ambiguous, so it is not judged.",
    "An animated PNG saved with `save_all=True`.",
)
EXTRA_FILE = _warning(
    "extra-file",
    "A file that is no image lies among the images",
    "It is left alone and costs nothing, but it is not part of what is asked for.",
    "`gan/notes.txt`.",
)
FOREIGN_FILE = _warning(
    "foreign-file",
    "A file that only the course or the grader writes",
    "Results, a configuration or the course's data lie in the submission. None of it is read; to use a copy of the "
    "data that lies there, name it with `--data`.",
    "`score.json`, or `hw2_data/` with the labels of the test images.",
)
CLASHING_NAMES = _error(
    "clashing-names",
    "Two names that other systems take for one",
    "Names of one folder that differ in capital letters alone, or in how an accented letter is put together: on macOS "
    "and Windows the second file overwrites the first.",
    "`gan/0001.png` and `gan/0001.PNG`.",
)
DUPLICATE_IMAGES = _warning(
    "duplicate-images",
    "The same picture several times",
    "Images with exactly the same pixels, in one folder or in two of a submission. A generator that repeats itself has "
    "collapsed, or one batch was saved twice.",
    "`0_001.png` and `0_051.png` have the same pixels.",
)
COPIED_IMAGES = _warning(
    "copied-images",
    "Images of the course's data instead of generated ones",
    "An image shows what a training or test image shows: the same pixels, or nearly the same after a mirroring, a "
    "shift by a pixel, another brightness, or saving with loss. A reconstruction is held against the test image of its "
    "name alone, and named where their SSIM is 0.93 or more. Whether that is a fault, a person decides.",
    "`gan/0001.png` has the pixels of `face/train/00231.png`.",
)
NEAR_DUPLICATES = _warning(
    "near-duplicates",
    "Images that are nearly the same",
    "Two images of the submission show the same with small differences. A generator that repeats itself has collapsed.",
    "`0_001.png` and `0_051.png` have a similarity of 0.98.",
)
LOW_DIVERSITY = _warning(
    "low-diversity",
    "Images that differ far less than real ones",
    "The Vendi score, an effective number of different images, is less than half of that of as many real images of the "
    "same class.",
    "A hundred sevens of which ten are different.",
)
AT_CHANCE = _warning(
    "at-chance",
    "Labels that are no better than guesses",
    "The accuracy's 95 % interval reaches down to what one and the same answer for everything would score. A model "
    "that learnt anything is well above that, so names and labels probably don't belong together.",
    "`0_001.png` shows a seven: the images were saved in another order than their labels.",
)
CROWDED = _warning(
    "faces-beyond-images",
    "Many more faces than images that hold one",
    "Each image should show one face. The count is that of the whole picture, as the course's program takes it, and so "
    "many images with several faces make it say little.",
    "99 faces in 25 images, each of which is put together of four.",
)
CONSTANT_IMAGE = _warning(
    "constant-image",
    "Images of a single colour",
    "Every pixel is the same. Usually the values were scaled wrongly before saving, or the generator diverged.",
    "An all-black image: values in [-1, 1] saved without rescaling to [0, 255].",
)

# ---- reconstructions ----

UNRELATED_IMAGES = _warning(
    "unrelated-images",
    "Pairs or rows of images that have nothing in common",
    "Two images of a pair, or of a row of a code, are made from the same noise and should differ in one thing alone. "
    "By the features of a network they are no nearer to each other than to those of other pairs or rows: other noise "
    "was drawn for each, the files were numbered in another order, or they are pictures of different people.",
    "`0_017.png` is a woman with dark hair, `1_017.png` a smiling man.",
)
PASTED_PATCH = _warning(
    "pasted-patch",
    "The same pixels in all images of one value",
    "A part of the picture does not change over all images with (or without) the attribute, while it does in their "
    "partners. No generator draws that: something was pasted in, and the judge's answers mean nothing.",
    "A black bar over the forehead in all of `1_001.png` to `1_500.png`.",
)
WRONG_PIXEL_RANGE = _warning(
    "wrong-pixel-range",
    "Values were scaled wrongly before saving",
    "The test images, changed by a common mistake, come at least 3 dB nearer to the reconstructions than as they are: "
    "values in [-1, 1] saved as they are, a negative, another brightness or contrast. The value stays that of the "
    "pictures as handed in.",
    "All that is darker than middle gray is black: `save_image(x)` of a tanh output, without `(x + 1) / 2`.",
)
WRONG_CHANNELS = _warning(
    "wrong-channels",
    "Colour channels are exchanged or mixed up",
    "The reconstructions come at least 3 dB nearer to the test images once red and blue are exchanged, or an array is "
    "transposed instead of reshaped.",
    "Blue faces: `cv2.imwrite` of an RGB array.",
)
WRONG_ORIENTATION = _warning(
    "wrong-orientation",
    "The pictures are mirrored or turned",
    "The reconstructions come at least 3 dB nearer to the test images once those are mirrored, turned or transposed.",
    "A random horizontal flip that is left on when testing.",
)
WRONG_IMAGE_ORDER = _warning(
    "wrong-image-order",
    "Right pictures under wrong names",
    "Most reconstructions show another test image than the one that they are named after.",
    "`40000.png` shows `40001.png`: the loop counts from 1; or the data loader shuffles.",
)

# ---- figures ----

BLANK_FIGURE = _error(
    "blank-figure",
    "A figure that shows nothing",
    "Every pixel has the same colour, or nearly so. Usually it was saved before anything was drawn, or after it was "
    "shown: `plt.show()` empties the figure that `plt.savefig` writes.",
    "`fig1_2.jpg` is white all over.",
)
FIGURE_SIZE = _error(
    "figure-size",
    "A figure that is far too small or far too large",
    "A person has to see what it shows, and a program has to open it: at least 100x60 pixels, at most 8000 a side and "
    "32 million in all.",
    "`fig1_4.jpg` has 20x20 pixels: a thumbnail was saved.",
)
TILE_COUNT = _error(
    "tile-count",
    "A grid with another number of images than asked for",
    "The figure is a regular grid of images, as `torchvision.utils.save_image` makes it, with too few or too many.",
    "16 images in `fig1_4.jpg` where 32 are asked for.",
)
NO_GRID = _warning(
    "no-grid",
    "A picture whose images can't be told apart",
    "Images of the figure are measured one by one, and it is no regular grid of them. What is taken of the whole "
    "picture still counts; copies, repetitions and collapse can't be seen, so that a person should look.",
    "40 faces lie here and there in `samples/gan.png`, where 5 rows of 5 are asked for.",
)
BLANK_TILES = _warning(
    "blank-tiles",
    "A grid with images of a single colour",
    "Parts of the grid are empty. Usually fewer images were generated than the grid has places.",
    "The last two of the 32 places in `fig2_3.jpg` are black.",
)
REPEATED_TILES = _warning(
    "repeated-tiles",
    "A grid that shows the same image several times",
    "Images of the grid that are the same but for the noise of the file format. A generator that repeats itself has "
    "collapsed, or the grid was filled twice with one batch.",
    "The images 3 and 19 of `fig2_3.jpg` are the same.",
)

# ---- csv tables ----

CSV_UNREADABLE = _error(
    "csv-unreadable",
    "The csv is not text in UTF-8",
    "The file can't be decoded, holds zero bytes, or is larger than any prediction file.",
    "A spreadsheet saved as .xlsx and renamed to .csv.",
)
CSV_DELIMITER = _error(
    "csv-delimiter",
    "The columns are not separated by commas",
    "Spreadsheets in some languages write semicolons, and pandas writes what `sep` says.",
    "`image_name;label`.",
)
CSV_HEADER = _error(
    "csv-header",
    "The first line is not the header asked for",
    "The first line must be the column names, exactly.",
    "`filename,prediction`, or a file that begins with the first row.",
)
CSV_BOM = _warning(
    "csv-bom",
    "The csv starts with a byte order mark",
    "Spreadsheets write it. It is skipped here, but other readers take it for a part of the first column's name.",
    "The encoding `utf-8-sig`.",
)
CSV_ROW_SHAPE = _error(
    "csv-row-shape",
    "Rows with too few or too many columns",
    "Every row must have exactly two columns.",
    "`,00000.png,4`: pandas wrote its index. Pass `index=False`.",
)
CSV_MISSING_ROWS = _error(
    "csv-missing-rows",
    "Test images without a row",
    "Every test image must have one row. A missing one counts as wrong.",
    "2000 rows for 2007 images: the last incomplete batch was dropped (`drop_last=True`).",
)
CSV_DOUBLED_ROWS = _error(
    "csv-doubled-rows",
    "Test images with several rows",
    "Every test image must have one row. One with several counts as wrong, whatever they say.",
    "`00004.png` stands in lines 6 and 2011.",
)
CSV_UNKNOWN_ROWS = _error(
    "csv-unknown-rows",
    "Rows for images that are not in the test set",
    "The first column must be the bare file name of a test image of the target domain.",
    "`test/00004.png` or `4` where `00004.png` is expected.",
)
CSV_BAD_LABEL = _error(
    "csv-bad-label",
    "Labels that are not whole numbers in the range",
    "Labels are compared as text: `3` is right, `3.0`, ` 3`, `03`, `NaN` and an empty field are not.",
    "`00004.png,3.0`: convert with `.astype(int)` before writing.",
)

# ---- logs ----

LOG_COLUMNS = _error(
    "log-columns",
    "A log without a column that is asked for",
    "The first line of the csv names its columns. Those that the assignment names must be among them, once each, in "
    "any order; more are welcome.",
    "`step,generator` where `step,generator_loss,discriminator_loss` is expected.",
)
LOG_VALUES = _error(
    "log-values",
    "Rows of a log that hold no numbers",
    "Steps are whole numbers, everything else that is asked for is a number, and every row has all columns.",
    "`100,tensor(0.69),0.71`: write `loss.item()`.",
)
LOG_ORDER = _error(
    "log-order",
    "Steps of a log that go back or repeat",
    "The first column that is asked for counts training steps: each row's is larger than the one before.",
    "Step 0 again after step 900: two runs were written into one file.",
)
LOG_TOO_SHORT = _error(
    "log-too-short",
    "A log with too few rows",
    "A curve needs some points.",
    "A log with the last step alone.",
)
LOG_NOT_FINITE = _warning(
    "log-not-finite",
    "Losses that are no longer finite",
    "NaN or infinity: from that step on the training learnt nothing more. The message says which step it is.",
    "`3200,nan,nan`.",
)

# ---- references ----

REFERENCE_COUNT = _warning(
    "reference-count",
    "The reference has another size than the published one",
    "The value is computed on what the data folder holds. With another number of images it can't be compared with "
    "published results, and official points are given on the full set.",
    "200 test faces under the data folder where the course published 2621.",
)

BROKEN_TAGS = _warning(
    "broken-tags",
    "The data's list of tags can't be used",
    "The colours that images are to show stand in a file of the data, line by line in the order of the grid, with ids "
    "from 1 on. With an unknown colour in it, an id that stands twice or out of this order, or another number of tags "
    "than of images, no accuracy can be told, and no points rest on it.",
    "`26,grey hair blue eyes`: gray is spelled so, and 25 images are asked for.",
)

# ---- the repository (only with --with-repository) ----

MISSING_SCRIPT = _error(
    "missing-script",
    "A script that the course calls is not at the top of the repository",
    "The teaching assistants run these scripts by their exact names.",
    "`hw2_p2.sh` is not there, `hw2_P2.sh` is.",
)
MISSING_REPORT = _error(
    "missing-report",
    "The report is not at the top of the repository",
    "The PDF's name must be in the format, with the student's own number in it.",
    "`report.pdf` where `hw2_r10922001.pdf` is expected.",
)
NOT_A_PDF = _error(
    "not-a-pdf",
    "The report is not a PDF",
    "The first bytes of the file decide, not its name.",
    "A Word file renamed to .pdf.",
)
SHELL_SYNTAX = _error(
    "shell-syntax",
    "bash can't parse the script",
    "`bash -n` reads the script without running it. What it refuses would stop the script in the grading run.",
    "A quote that is never closed; Windows line ends (CRLF) in a script.",
)
FORBIDDEN_COMMAND = _error(
    "forbidden-command",
    "The script uses a command that the course forbids",
    "Only commands and variables that the script would really use are reported: a word in a comment or string is none.",
    "`mkdir -p $1` or `CUDA_VISIBLE_DEVICES=0 python3 p1.py`.",
)
USE_INSTEAD = _error(
    "use-instead",
    "The script uses a command that must be replaced by another",
    "The grading machine has one of the two only.",
    "`curl -O …` where `wget …` is asked for; `python` where `python3` is.",
)
ABSOLUTE_PATH = _error(
    "absolute-path",
    "The script names a path of one machine",
    "Absolute and home paths exist on your machine, not on the one that grades. Use `$1`, `$2` or relative paths.",
    "`python3 p1.py --weights /home/me/best.pth`.",
)

# ---- running the scripts (only of `grader run`) ----

RUN_FAILED = _warning(
    "run-failed",
    "A script ended with an error code",
    "What it wrote until then is graded as it is; what it didn't write is missing. Its log says why it stopped.",
    "`hw2_p1.sh` ends with code 1: a Python module isn't there.",
)
RUN_NOT_STARTED = _error(
    "run-not-started",
    "A script could not be started",
    "The script or the copy of the repository around it could not be prepared, so that nothing was written.",
    "The repository is larger than its private copy may be.",
)
RUN_TIMED_OUT = _error(
    "run-timed-out",
    "A script took longer than the course allows",
    "It was ended with all that it had started. What it had written is shown, and earns nothing.",
    "`hw2_p1.sh` trains the model instead of loading its weights.",
)
RUN_OUT_OF_MEMORY = _error(
    "run-out-of-memory",
    "A script used more memory than it may",
    "Memory of all its processes counts, and files in its folders, which lie in memory. It was ended.",
    "All training images are loaded at once.",
)
RUN_TOO_MUCH_OUTPUT = _error(
    "run-too-much-output",
    "A script wrote or printed more than it may",
    "The folder of the deliverables was full, held too many files, or far too much was printed. It was ended.",
    "A loop that prints without end; checkpoints that are written into the folder of the deliverables.",
)
RUN_TOO_MANY_PROCESSES = _error(
    "run-too-many-processes",
    "A script started more processes than it may",
    "Processes and threads count together. It was ended with all that it had started.",
    "A data loader with a worker for each of a thousand images.",
)
RUN_OUTPUT_REFUSED = _warning(
    "run-output-refused",
    "Something that a script wrote was not taken",
    "Only regular files in the folders of its own problem are taken: no links, pipes or devices, which could point "
    "anywhere, and nothing that another script was to write.",
    "`gan/0001.png` is a symbolic link.",
)
NOT_REPRODUCIBLE = _warning(
    "not-reproducible",
    "A second run of the same script wrote something else",
    "Scripts fix the seeds of their randomness, so that a result can be had again. Where the measures of both runs "
    "are equal as printed, other bytes cost nothing; where they differ, the course's policy says what it costs.",
    "`torch.manual_seed` is never called.",
)

RULES: dict[str, Rule] = {value.id: value for value in list(globals().values()) if isinstance(value, Rule)}
